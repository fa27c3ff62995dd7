// One item on the screen.
const FOLDS = ["context", "expected"];
const WHO = { user: "question", assistant: "reply", tool: "lookup" };
const shown = { item: null, left: 0, plain: false, differences: false, expand: false };

function showItem(item, left) {
  Object.assign(shown, { item, left, differences: false });
  byId("question").replaceChildren(...item.question.map(turn));
  byId("folds").replaceChildren(...FOLDS.filter((name) => item[name]).map((name) => fold(name, item[name])));
  showAnswers();
  showAids();
}

function turn({ who, text, lang }, place, all) {
  const name = WHO[who] ?? "background";
  const body = element("div", { class: "body", lang, dir: "auto" }, markdown(text));
  if (name === "question" || name === "reply") {
    const last = place === all.length - 1 ? " asked" : "";
    return element("div", { class: `turn ${name}${last}` }, element("p", { class: "who", "data-say": name }, say(name)), body);
  }
  return element("details", { class: "quiet" }, element("summary", { "data-say": name }, say(name)), body);
}

function fold(name, { text, lang }) {
  const body = element("div", { class: "body", lang, dir: "auto" }, text ? markdown(text) : say("sources_none"));
  return element("details", { class: "quiet", open: shown.expand }, element("summary", { "data-say": name }, say(name)), body);
}

const SIDES = ["left", "right"];
function showAnswers() {
  SIDES.forEach((side, number) => {
    const slot = number === 0 ? shown.left : 1 - shown.left;
    const { text, lang } = shown.item.answers[slot];
    const body = element("div", { class: "body", lang, dir: "auto" }, written(text));
    byId(side).querySelector(".body").replaceWith(body);
    const based = shown.item.sources ? [fold("sources", shown.item.sources[slot])] : [];
    byId(side).querySelector(".based").replaceChildren(...based);
  });
  byId("answers").classList.toggle("plain", shown.plain);
  if (shown.differences) shown.differences = markDifferences(...bodies());
  makeScrollable();
}

const bodies = () => SIDES.map((side) => byId(side).querySelector(".body"));

function written(text) {
  if (!text.trim()) return element("p", { class: "soft", "data-say": "empty" }, say("empty"));
  return shown.plain ? element("p", { dir: "auto" }, plainText(text)) : markdown(text);
}

// The words without their formatting, so that neither side looks tidier.
function plainText(text) {
  const rendered = element("div", {}, markdown(text));
  const blocks = [...rendered.querySelectorAll("p, li, pre, blockquote, tr")];
  return blocks.map(ownText).filter(Boolean).join("\n");
}

function ownText(node) {
  const copied = node.cloneNode(true);
  copied.querySelectorAll("ul, ol").forEach((list) => list.remove());
  return copied.textContent.trim();
}

// What scrolls by itself can be reached by keyboard, too.
function makeScrollable() {
  for (const body of bodies()) {
    if (body.scrollHeight > body.clientHeight + 1) body.setAttribute("tabindex", "0");
    else body.removeAttribute("tabindex");
  }
}

function showAids() {
  for (const name of ["differences", "plain", "expand"]) press(name, shown[name]);
  press("together", Boolean(settings.together));
  byId("answers").classList.toggle("expanded", shown.expand);
}

const press = (name, on) => document.querySelector(`[data-act=${name}]`).setAttribute("aria-pressed", String(on));

function toggleDifferences() {
  shown.differences = !shown.differences;
  const wanted = shown.differences;
  showAnswers();
  if (wanted && !shown.differences) announce(say("differences_long"));
  showAids();
}

function togglePlain() {
  shown.plain = !shown.plain;
  showAnswers();
  showAids();
}

function toggleExpand() {
  shown.expand = !shown.expand;
  for (const details of byId("work").querySelectorAll("details")) details.open = shown.expand;
  showAids();
  makeScrollable();
}

function toggleTogether() {
  keepSetting("together", !settings.together);
  showAids();
}

// Both sides at the same share of their length.
function scrollTogether(event) {
  const [left, right] = bodies();
  const other = event.target === left ? right : event.target === right ? left : null;
  if (!settings.together || !other) return;
  const share = event.target.scrollTop / Math.max(1, event.target.scrollHeight - event.target.clientHeight);
  const wanted = Math.round(share * (other.scrollHeight - other.clientHeight));
  if (Math.abs(other.scrollTop - wanted) > 1) other.scrollTop = wanted;
}
