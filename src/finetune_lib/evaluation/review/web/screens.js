// The screens: who is there, practice, the items, the end; and what surrounds them.
const SYMBOLS = { left_much: "◀◀", left: "◀", same: "=", right: "▶", right_much: "▶▶", both_good: "✓✓", both_bad: "✗✗", skip: "»", wrong_question: "⚠" };
const KEY_OF = { left_much: "1", left: "2", same: "3", right: "4", right_much: "5", both_good: "G", both_bad: "B", skip: "S", wrong_question: "Q" };
const practice = { items: data.practice, at: 0, choice: null };
let screen = "start";

const practiceItems = () => practice.items ?? data.texts[language].practice.map(asItem);
const asItem = (given) => ({
  question: [{ who: "user", text: given.question, lang: language }],
  answers: [given.left, given.right].map((text) => ({ text, lang: language })),
  choice: given.choice,
  explanation: given.explanation,
});

function go(name) {
  stopClock();
  screen = name;
  const inWork = name === "practice" || name === "work";
  byId("start").hidden = name !== "start";
  byId("work").hidden = !inWork;
  byId("end").hidden = name !== "end";
  byId("progress-line").hidden = name !== "work";
  for (const part of document.querySelectorAll("[data-when=work], [data-act=previous], [data-act=undo]")) part.hidden = name !== "work";
  ({ start: showStart, practice: showPractice, work: showWork, end: showEnd })[name]();
}

function announce(text) {
  byId("status").textContent = "";
  requestAnimationFrame(() => { byId("status").textContent = text; });
}

function showSaved() {
  byId("saved").textContent = `✓ ${say("saved")}`;
  announce(say("saved"));
}

function showTrouble(name) {
  byId("alert").hidden = !name;
  if (name && byId("alert-text").dataset.say === name) return;
  byId("alert-text").dataset.say = name ?? "";
  byId("alert-text").textContent = name ? say(name) : "";
}

// Who is there.
const typedName = () => byId("rater").value.normalize("NFC").replace(/\s+/g, " ").trim();

function showStart() {
  byId("title").textContent = data.title ?? say("title");
  byId("intro-time").textContent = say("intro_time", { number: showingsOf("").length });
  const names = [...new Set([...data.reviewers, ...ratersHere()])];
  byId("names").replaceChildren(...names.map((name) => element("button", { type: "button", dir: "auto", "data-name": name }, name)));
  if (!typedName() && ratersHere().length === 1) byId("rater").value = ratersHere()[0];
  showGuidelines("start-guidelines");
  showWelcome();
}

function showGuidelines(id) {
  const { text, lang } = data.guidelines;
  byId(id).hidden = !text;
  byId(id).replaceChildren(element("div", { class: "body", lang, dir: "auto" }, markdown(text)));
}

// What the button begins: the work, or where it was left.
function showWelcome() {
  const rater = typedName();
  const state = rater && readHere(rater);
  const open = state ? openPlace(state) : 0;
  byId("welcome").hidden = !(state && open >= 0);
  byId("welcome").textContent = say("continue_question", { number: open + 1 });
  byId("begin").textContent = beginText(state, open);
  for (const chip of byId("names").children) chip.setAttribute("aria-pressed", String(chip.dataset.name === rater));
}

function beginText(state, open) {
  if (!state) return say("start");
  return open < 0 ? say("all_done") : say("continue", { number: open + 1 });
}

// The first item that a kept state has no vote on; -1 where there is none.
function openPlace(state) {
  const done = new Set(state.votes.filter((vote) => vote.choice).map((vote) => `${vote.item}/${vote.showing}`));
  return showingsOf(state.rater).findIndex((showing) => !done.has(keyOf(showing)));
}

async function begin(event) {
  event.preventDefault();
  const rater = typedName();
  byId("name-missing").hidden = Boolean(rater);
  byId("rater").setAttribute("aria-invalid", String(!rater));
  if (!rater) return byId("rater").focus();
  const state = newer(readHere(rater), await readThere(rater));
  open(state ?? emptyState(rater));
  return go(state || !practiceItems().length ? "work" : "practice");
}

// A file that was saved elsewhere goes on here, unless this browser has newer votes.
async function loadFile(event) {
  const [file] = event.target.files;
  if (!file) return;
  const state = parsed(await file.text());
  event.target.value = "";
  if (!isState(state)) return void announceAlert("load_wrong");
  open(newer(readHere(state.rater), state));
  go("work");
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function announceAlert(name) {
  byId("name-missing").hidden = false;
  byId("name-missing").textContent = say(name);
}

// Practice: as the real ones, but the answer is talked about and nothing is kept.
function showPractice() {
  const items = practiceItems();
  const item = items[practice.at];
  byId("heading").textContent = say("practice_head", { number: practice.at + 1, all: items.length });
  byId("practice-note").hidden = false;
  byId("why").hidden = true;
  showItem(item, 0);
  showChoice(practice.choice);
  showExplanation(item);
  toTop();
}

function showExplanation(item) {
  byId("verdict").hidden = !practice.choice;
  if (!practice.choice) return;
  const same = practice.choice === item.choice;
  const lead = same ? say("practice_same") : say("practice_other", { choice: say(item.choice) });
  byId("verdict").replaceChildren(element("strong", {}, lead), " ", item.explanation);
}

function practiseNext() {
  if (!practice.choice) return askForChoice();
  practice.choice = null;
  practice.at += 1;
  return practice.at < practiceItems().length ? showPractice() : go("work");
}

// The items that count.
function showWork() {
  const { place, left } = current();
  byId("heading").textContent = say("item_head", { number: review.at + 1, all: review.showings.length });
  byId("practice-note").hidden = true;
  byId("verdict").hidden = true;
  byId("why").hidden = false;
  byId("break").hidden = !needsBreak();
  showItem(data.items[place], left);
  showVote();
  toTop();
  startClock();
}

function toTop() {
  scrollTo(0, 0);
  byId("heading").focus({ preventScroll: true });
}

function showVote() {
  const vote = voteAt(review.at);
  showChoice(vote?.choice ?? null);
  byId("comment").value = vote?.comment ?? "";
  for (const box of byId("reasons").querySelectorAll("input")) box.checked = Boolean(vote?.reasons.includes(box.value));
  for (const radio of byId("criteria").querySelectorAll("input")) radio.checked = vote?.rubric[radio.dataset.criterion] === radio.value;
  showProgress();
}

function showProgress() {
  const all = review.showings.length;
  const done = review.showings.filter((_, place) => isDone(place)).length;
  const minutes = minutesLeft();
  byId("progress").value = done / all;
  byId("progress").setAttribute("aria-label", say("progress", { done, all }));
  byId("progress-text").textContent = minutes && done < all ? say("progress_left", { done, all, minutes }) : say("progress", { done, all });
}

function showChoice(choice) {
  byId("hint").hidden = true;
  for (const radio of byId("choices").querySelectorAll("input")) radio.checked = radio.value === choice;
}

function askForChoice() {
  byId("hint").hidden = false;
  announce(say("choose_first"));
}

function makeChoices() {
  byId("choices").replaceChildren(element("legend", { "data-say": "which" }, say("which")), ...CHOICES.map(choiceOf));
}

function choiceOf(name) {
  const radio = element("input", { type: "radio", name: "choice", value: name });
  const symbol = element("span", { class: "symbol", "aria-hidden": "true" }, SYMBOLS[name]);
  const label = element("span", { "data-say": name }, say(name));
  return element("label", { class: `choice ${name}` }, radio, element("span", { class: "face" }, symbol, label, element("kbd", {}, KEY_OF[name])));
}

function makeReasons() {
  const tags = data.reasons.map((reason) => element("label", { class: "tag" }, element("input", { type: "checkbox", value: reason }), element("span", { dir: "auto" }, reasonText(reason))));
  byId("reasons").replaceChildren(...tags);
  byId("rubric").hidden = !data.rubric.length;
  byId("criteria").replaceChildren(...data.rubric.map(criterionOf));
}

function criterionOf(criterion, number) {
  const radios = ["left", "same", "right"].map((value) => element("label", {},
    element("input", { type: "radio", name: `criterion${number}`, value, "data-criterion": criterion }), element("span", {}, say(`rubric_${value}`))));
  return element("fieldset", { class: "criterion" }, element("legend", { dir: "auto" }, criterion), ...radios);
}

// Every item, to look at again.
function showList() {
  byId("items").replaceChildren(...review.showings.map((_, place) => element("li", {}, listed(place))));
  byId("list-dialog").showModal();
}

function listed(place) {
  const vote = voteAt(place);
  const state = !vote?.choice ? say("state_open") : vote.choice === "skip" ? say("state_skipped") : say("state_done");
  const words = [state, vote?.comment && say("state_comment"), place === review.at && say("here")].filter(Boolean);
  const mark = { [say("state_open")]: "○", [say("state_skipped")]: "»" }[state] ?? "✓";
  const attributes = { type: "button", "data-place": place, "aria-current": place === review.at ? "true" : null };
  return element("button", attributes, `${place + 1} `, element("span", { class: "state" }, `${mark} ${words.join(", ")}`));
}

// The end, for now or for good.
function showEnd() {
  const open = review.showings.filter((_, place) => !isDone(place)).length;
  byId("end-title").textContent = open ? say("end_stopped") : say("end_done");
  byId("end-counts").textContent = say("end_counts", { done: review.showings.length - open, open });
  byId("end-how").textContent = ADDRESS ? "" : say("end_how");
  if (ADDRESS) sending.then(() => { byId("end-how").textContent = unsafe ? say("not_sent") : say("end_served"); });
  byId("as-text").value = asText(review.state);
  byId("copied").textContent = "";
  byId("end-title").focus();
}

async function copyVotes() {
  byId("text-fold").open = true;
  const done = await copy(byId("as-text").value, byId("as-text"));
  byId("copied").textContent = done ? say("copied") : say("copy_failed");
}
