"use strict";
const byId = (id) => document.getElementById(id);
const DATA = JSON.parse(byId("data").textContent);
const WORDS = DATA.words;
const BATCH = 20;
const ON_PAPER = 100;
const list = byId("cases-list");
const next = byId("next-cases");

// Words and numbers

const say = (name, values = {}) =>
  WORDS[name].replace(/\{(\w+)(:,)?\}/g, (_, key, grouped) => (grouped ? Number(values[key]).toLocaleString() : values[key]));
const fold = (text) => text.normalize("NFKC").toLowerCase();
const number = (value) => (value === null || value === undefined ? "–" : value.toFixed(2).replace("-", "−"));

// Elements: text goes in as text, never as markup.

function element(name, classes, ...content) {
  const made = document.createElement(name);
  if (classes) made.className = classes;
  made.append(...content.flat().filter((part) => part !== null && part !== undefined && part !== ""));
  return made;
}

// Characters that nobody sees, or that turn the direction, stand as their number.
const UNSEEN = /[\0-\x08\x0b-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\ufffe\uffff\u{e0000}-\u{e007f}]/gu;

function visible(text) {
  const parts = [];
  let end = 0;
  for (const match of text.matchAll(UNSEEN)) {
    const code = match[0].codePointAt(0).toString(16).toUpperCase().padStart(4, "0");
    parts.push(text.slice(end, match.index), element("span", "unseen", `U+${code}`));
    end = match.index + match[0].length;
  }
  parts.push(text.slice(end));
  return parts;
}

function paragraph(said, classes, content) {
  const made = element("p", classes, content ?? visible(said.t.replaceAll("\r\n", "\n")));
  made.dir = "auto";
  if (said.lang) made.lang = said.lang;
  return made;
}

// A long text is folded; what the page does not hold is told.
const LONG = 700;
const LONG_LINES = 14;
function text(said, { content = null, classes = "said" } = {}) {
  const body = [paragraph(said, classes, content)];
  if (said.cut) body.push(element("p", "soft", say("cut", { number: said.cut })));
  if (said.t.length <= LONG && said.t.split("\n").length <= LONG_LINES) return body;
  const folded = element("div", "folded", body);
  const button = element("button", "unfold", say("whole_text", { number: said.t.length }));
  button.type = "button";
  button.addEventListener("click", () => {
    const open = folded.classList.toggle("open");
    button.textContent = open ? WORDS.less_text : say("whole_text", { number: said.t.length });
  });
  return [element("div", "", folded, button)];
}

// What one text has and the other has not: inserted and deleted pieces, looked for between the common ends.
// Texts that share little are not compared: a confetti of common letters helps nobody.
const CELLS = 1_000_000;
const LEAST_COMMON = 0.4;
const STRAY = 2;
const pieces = (given) => given.match(/[A-Za-z0-9]+|\s+|./gsu) ?? [];

function changes(before, after) {
  const [a, b] = [pieces(before), pieces(after)];
  let head = 0;
  while (head < Math.min(a.length, b.length) && a[head] === b[head]) head += 1;
  let tail = 0;
  while (tail < Math.min(a.length, b.length) - head && a.at(-1 - tail) === b.at(-1 - tail)) tail += 1;
  const inner = [a.slice(head, a.length - tail), b.slice(head, b.length - tail)];
  const found = inner[0].length * inner[1].length > CELLS ? [] : walked(...inner);
  const common = found.filter(([kind]) => kind === "same").length + head + tail;
  if (common < LEAST_COMMON * Math.min(a.length, b.length)) return [["ins", after]];
  return calmed([...a.slice(0, head).map((p) => ["same", p]), ...found, ...a.slice(a.length - tail).map((p) => ["same", p])]);
}

// The longest common subsequence, by the table of its lengths.
function walked(a, b) {
  const width = b.length + 1;
  const lengths = new Uint32Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i -= 1)
    for (let j = b.length - 1; j >= 0; j -= 1)
      lengths[i * width + j] = a[i] === b[j] ? lengths[(i + 1) * width + j + 1] + 1
        : Math.max(lengths[(i + 1) * width + j], lengths[i * width + j + 1]);
  const found = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) { found.push(["same", a[i]]); i += 1; j += 1; }
    else if (j >= b.length || (i < a.length && lengths[(i + 1) * width + j] >= lengths[i * width + j + 1])) { found.push(["del", a[i]]); i += 1; }
    else { found.push(["ins", b[j]]); j += 1; }
  }
  return found;
}

// Runs of what is common and what is changed; a stray letter between two changes belongs to them.
function calmed(found) {
  const runs = [];
  for (const [kind, piece] of found) {
    const same = kind === "same";
    if (runs.at(-1)?.same !== same) runs.push({ same, del: "", ins: "" });
    if (kind !== "ins") runs.at(-1).del += piece;
    if (kind !== "del") runs.at(-1).ins += piece;
  }
  const merged = [];
  runs.forEach((run, place) => {
    const stray = run.same && run.ins.length <= STRAY && place > 0 && place < runs.length - 1;
    const last = merged.at(-1);
    if (last && (stray || !last.same && !run.same)) Object.assign(last, { del: last.del + run.del, ins: last.ins + run.ins });
    else merged.push({ ...run });
  });
  return merged.flatMap((run) => (run.same ? [["same", run.ins]] : [["del", run.del], ["ins", run.ins]])).filter(([, piece]) => piece);
}

const marked = (before, after) =>
  changes(before, after).map(([kind, piece]) => (kind === "same" ? visible(piece) : [element(kind, "", visible(piece))])).flat();

// What the reader chose

const valueOf = (name) => byId(`choose-${name}`)?.value ?? "";
const chosenCandidate = () => Math.max(DATA.candidates.indexOf(valueOf("candidate")), Math.min(1, DATA.candidates.length - 1));
const chosenMeasure = () => valueOf("measure") || DATA.measures[0]?.id;
const shownColumns = () => [...byId("columns").querySelectorAll("input")].map((box, place) => (box.checked ? place : -1)).filter((place) => place >= 0);

const differenceOf = (one, candidate) => one.differences?.[chosenMeasure()]?.[candidate] ?? null;
const SYMBOLS = { win: "▲", loss: "▼", tie: "=", missing: "?" };
function outcomeOf(one, candidate) {
  const difference = differenceOf(one, candidate);
  return difference === null ? "missing" : difference > 0 ? "win" : difference < 0 ? "loss" : "tie";
}

const attemptsOf = (one) => one.answers.flat();
const hasFailed = (one) => attemptsOf(one).some((a) => a.error || a.failures) || (one.judgments ?? []).some((j) => j.error);
const FITS = {
  "": () => true,
  failed: hasFailed,
  contaminated: (one) => Boolean(one.contaminated),
};
// Counts of outcomes leave contaminated cases out, and so does their filter.
const isOutcome = (one, wanted) => !one.contaminated && outcomeOf(one, chosenCandidate()) === wanted;
const fitsOutcome = (one, wanted) => (FITS[wanted] ?? ((each) => isOutcome(each, wanted)))(one);
const fitsCategory = (one, wanted) => !wanted || `=${one.category ?? "(none)"}` === wanted;

const texts = new Map();
function searchable(one) {
  if (!texts.has(one)) texts.set(one, fold(stringsOf(one).join("\n")));
  return texts.get(one);
}
const stringsOf = (value) =>
  typeof value === "string" ? [value] : value && typeof value === "object" ? Object.values(value).flatMap(stringsOf) : [];

const spread = (one) => {
  const means = one.answers.map((attempts) => meanOf(attempts, DATA.scorers[0])).filter((value) => value !== null);
  return means.length ? Math.max(...means) - Math.min(...means) : -1;
};
const meanOf = (attempts, scorer) => {
  const known = attempts.map((a) => a.scores?.[scorer]).filter((value) => value !== null && value !== undefined);
  return known.length ? known.reduce((sum, value) => sum + value, 0) / known.length : null;
};
const longest = (one) => Math.max(...attemptsOf(one).map((a) => a.t.length + (a.cut ?? 0)));
const WEIGHTS = {
  worst_first: (one) => -(differenceOf(one, chosenCandidate()) ?? -Infinity) + 0,
  best_first: (one) => differenceOf(one, chosenCandidate()) ?? -Infinity,
  apart_first: spread,
  longest_first: longest,
};

function inOrder(places) {
  const weigh = WEIGHTS[valueOf("order")];
  if (!weigh) return places;
  const missing = (place) => valueOf("order") === "worst_first" && differenceOf(DATA.cases[place], chosenCandidate()) === null;
  const weights = new Map(places.map((place) => [place, missing(place) ? -Infinity : weigh(DATA.cases[place])]));
  return [...places].sort((a, b) => weights.get(b) - weights.get(a) || a - b);
}

// One case

function score(name, attempt) {
  const value = attempt.scores?.[name];
  if (value === undefined) {
    const failure = attempt.failures?.[name];
    return failure ? element("span", "score failed", `${name} ? ${failure}`) : null;
  }
  const [mark, kind] = value === 1 ? ["✓ ", "right"] : value === 0 ? ["✗ ", "wrong"] : ["", ""];
  const label = attempt.labels?.[name];
  return element("span", `score ${kind}`, `${mark}${name} ${value === 0 || value === 1 ? value : number(value)}`, label === undefined ? "" : ` (${label})`);
}

function call(given) {
  return element("div", "call", element("p", "", `${WORDS.calls} `, element("code", "", visible(given.name))), element("pre", "", visible(given.t)));
}

function details(summary, content, classes = "") {
  const made = element("details", classes, element("summary", "", summary));
  made.addEventListener("toggle", () => { if (made.children.length === 1) made.append(...[content()].flat()); });
  return made;
}

function answerText(one, attempt, place) {
  if (attempt.error) return [element("p", "no-answer", `${WORDS.no_answer}: `, visible(attempt.error))];
  if (!attempt.t.trim()) return attempt.calls ? [] : [element("p", "soft", WORDS.empty)];
  const reference = referenceOf(one, place);
  return text(attempt, reference === null ? {} : { content: marked(reference, attempt.t), classes: "said compared" });
}

function referenceOf(one, place) {
  if (valueOf("differences") === "with_expected") return one.expected?.t ?? null;
  if (valueOf("differences") !== "with_baseline" || place === 0) return null;
  const first = one.answers[0][0];
  return first.error ? null : first.t;
}

function reasonsOf(attempt) {
  const entries = Object.entries(attempt.reasons ?? {});
  if (!entries.length) return null;
  return element("ul", "reasons", entries.map(([name, said]) => {
    const item = element("li", "", element("b", "", name), " ", visible(said.t));
    if (said.lang) item.lang = said.lang;
    return item;
  }));
}

function metaOf(attempt) {
  const parts = [];
  if (attempt.seconds) parts.push(say("seconds", { number: attempt.seconds }));
  if (attempt.read || attempt.written) parts.push(say("tokens", { read: attempt.read ?? 0, written: attempt.written ?? 0 }));
  if (attempt.usd) parts.push(`$${attempt.usd.toPrecision(2)}`);
  if (attempt.ended) parts.push(say("ended", { reason: attempt.ended }));
  return parts.length ? element("p", "meta", parts.join(" · ")) : null;
}

function judged(one, place) {
  const own = (one.judgments ?? []).filter((j) => j.candidate === place);
  return own.map((j) => {
    const order = WORDS[j.first ? "saw_first" : "saw_second"];
    const against = j.baseline ? ` / ${DATA.candidates[j.baseline]}` : "";
    const verdict = j.error ? element("span", "failed", `${WORDS.failed}: ${j.error}`) : element("b", "", WORDS[j.level]);
    const item = element("li", "", element("span", "soft", `${j.judge}${against} (${order}): `), verdict, j.reason ? [" — ", ...visible(j.reason.t)] : "");
    if (j.reason?.lang) item.lang = j.reason.lang;
    return item;
  });
}

// The first line of a passage names its place; where that is known, it leads there.
function source(said) {
  if (!said.link) return text(said, { classes: "said source" });
  const [place, ...rest] = said.t.split("\n");
  const link = element("a", "", visible(place));
  link.href = said.link;
  return text(said, { classes: "said source", content: [link, ...visible(["", ...rest].join("\n"))] });
}

function attemptBody(one, attempt, place) {
  const verdicts = judged(one, place);
  return [
    element("p", "score-row", DATA.scorers.map((name) => score(name, attempt))),
    ...answerText(one, attempt, place),
    ...(attempt.calls ?? []).map(call),
    attempt.sources ? details(say("sources", { number: attempt.sources.length }), () => attempt.sources.flatMap(source)) : null,
    reasonsOf(attempt),
    verdicts.length ? element("ul", "reasons judged", verdicts) : null,
    metaOf(attempt),
  ].filter(Boolean);
}

function answer(one, place) {
  const attempts = one.answers[place];
  const outcome = place && !one.contaminated ? outcomeOf(one, place) : "";
  const mark = outcome ? element("span", `outcome-mark ${outcome}`, SYMBOLS[outcome]) : "";
  if (mark) mark.title = WORDS[{ win: "wins", loss: "losses", tie: "ties", missing: "missing" }[outcome]];
  const first = place === 0 && DATA.candidates.length > 1 ? element("small", "soft", WORDS.baseline) : "";
  const heading = element("h4", "", mark, " ", visible(DATA.candidates[place]), " ", first);
  const body = element("div", "", attemptBody(one, attempts[0], place));
  const column = element("section", "answer-column", heading);
  if (attempts.length > 1) column.append(switcher(attempts, (attempt) => body.replaceChildren(...attemptBody(one, attempt, place))));
  column.append(body);
  return column;
}

function switcher(attempts, show) {
  const buttons = attempts.map((attempt, place) => {
    const made = element("button", "", `${place + 1}`);
    made.type = "button";
    made.setAttribute("aria-pressed", String(place === 0));
    made.setAttribute("aria-label", say("attempt", { number: place + 1 }));
    made.addEventListener("click", () => {
      for (const other of buttons) other.setAttribute("aria-pressed", String(other === made));
      show(attempt);
    });
    return made;
  });
  return element("p", "attempts", element("span", "soft", `${WORDS.attempts} `), buttons);
}

function asked(one) {
  const parts = [element("h4", "", WORDS.question)];
  const turns = one.turns ?? [];
  if (turns.length) parts.push(...text(turns[one.asked]));
  if (turns.length > 1) parts.push(details(say("conversation", { number: turns.length }), () => turns.map((turn) => element("div", "turn-said", element("b", "", visible(turn.role)), text(turn)))));
  return element("section", "", parts);
}

function expected(one) {
  const parts = [element("h4", "", WORDS.expected)];
  if (one.expected?.t) parts.push(...text(one.expected));
  if (one.calls) parts.push(element("p", "soft", WORDS.expected_calls), ...one.calls.map(call));
  return parts.length > 1 ? element("section", "", parts) : null;
}

function votes(one) {
  if (!one.votes) return null;
  return element("div", "voted", element("h4", "", WORDS.votes), element("ul", "reasons", one.votes.map((vote) => {
    const pair = say("than", { candidate: vote.left, baseline: vote.right, level: WORDS[vote.level] ?? vote.level });
    const more = [...(vote.reasons ?? []), vote.comment].filter(Boolean).join(" · ");
    return element("li", "", element("b", "", visible(vote.rater)), " ", visible(pair), more ? [" — ", ...visible(more)] : "");
  })));
}

function header(one, place) {
  const link = element("a", "number", `#${place + 1}`);
  link.href = `#case-${place + 1}`;
  const chips = DATA.candidates.slice(1).map((name, index) => {
    const outcome = outcomeOf(one, index + 1);
    return element("span", `chip ${one.contaminated ? "" : outcome}`, `${SYMBOLS[outcome]} `, visible(name));
  });
  return element("header", "", link, element("span", "soft", visible(one.id)),
    one.category ? element("span", "badge", visible(one.category)) : "",
    (one.metadata ?? []).map(([name, value]) => element("span", "soft", visible(`${name}: ${value.t}`))),
    one.cluster ? element("span", "soft", visible(say("cluster", { name: one.cluster }))) : "",
    one.contaminated ? element("span", "badge warned", `⚠ ${WORDS.contaminated}`) : "",
    element("span", "chips", chips));
}

function card(place) {
  const one = DATA.cases[place];
  const columns = shownColumns();
  const answers = element("div", "answers", columns.map((column) => answer(one, column)));
  answers.style.setProperty("--columns", String(Math.max(1, columns.length)));
  const made = element("article", "case", header(one, place), element("div", "asked", asked(one), expected(one)), answers, votes(one));
  made.id = `case-${place + 1}`;
  made.tabIndex = -1;
  return made;
}

// The cases that fit, built as they are looked at

let fitting = [];
let built = 0;
function show() {
  const query = fold(byId("search").value.trim());
  const [outcome, category] = [valueOf("outcome"), valueOf("category")];
  const fits = (one) => fitsOutcome(one, outcome) && fitsCategory(one, category) && (!query || searchable(one).includes(query));
  fitting = inOrder(DATA.cases.map((_, place) => place).filter((place) => fits(DATA.cases[place])));
  built = 0;
  list.replaceChildren();
  byId("count").textContent = say("count", { shown: fitting.length.toLocaleString(), all: DATA.cases.length.toLocaleString() });
  byId("no-match").hidden = fitting.length > 0;
  build(BATCH);
}

function build(number) {
  const places = fitting.slice(built, built + number);
  list.append(...places.map(card));
  built += places.length;
  next.hidden = built >= fitting.length;
  highlight();
}

// Hits of the search are painted, not written.
const PAINTED = 500;
function highlight() {
  if (!CSS.highlights) return;
  CSS.highlights.delete("hit");
  const query = byId("search").value.trim().toLowerCase();
  if (query) CSS.highlights.set("hit", new Highlight(...hits(query)));
}

function hits(query) {
  const found = [];
  const walker = document.createTreeWalker(list, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node && found.length < PAINTED; node = walker.nextNode()) {
    const lower = node.data.toLowerCase();
    if (lower.length !== node.data.length) continue;
    for (let place = lower.indexOf(query); place >= 0; place = lower.indexOf(query, place + query.length)) {
      const range = new Range();
      range.setStart(node, place);
      range.setEnd(node, place + query.length);
      found.push(range);
    }
  }
  return found;
}

function clear() {
  byId("search").value = "";
  for (const select of byId("tools").querySelectorAll("select")) select.selectedIndex = 0;
  for (const box of byId("columns").querySelectorAll("input")) box.checked = true;
  show();
}

// A number leads to its cases.
function pick(event) {
  const link = event.target.closest("a.pick");
  if (!link) return;
  event.preventDefault();
  byId("search").value = "";
  const chosen = { candidate: link.dataset.candidate, measure: link.dataset.measure, outcome: link.dataset.outcome,
    category: link.dataset.category === undefined ? "" : `=${link.dataset.category}` };
  for (const [name, value] of Object.entries(chosen)) {
    const select = byId(`choose-${name}`);
    if (select && value !== undefined) select.value = value;
  }
  show();
  byId("cases").scrollIntoView();
}

// A link to a case finds it even where a filter hides it or it is not built yet.
function follow() {
  const place = Number(location.hash.match(/^#case-(\d+)$/)?.[1] ?? 0) - 1;
  if (!(place in DATA.cases)) return;
  if (!fitting.includes(place)) clear();
  build(Math.max(0, fitting.indexOf(place) + 1 - built));
  goTo(byId(`case-${place + 1}`));
}

function goTo(element) {
  if (!element) return;
  list.querySelector(".current")?.classList.remove("current");
  element.classList.add("current");
  element.focus({ preventScroll: true });
  element.style.scrollMarginTop = `${byId("tools").offsetHeight + 8}px`;
  element.scrollIntoView({ block: "start" });
}

function step(by) {
  const current = list.querySelector(".current");
  if (by > 0 && current && !current.nextElementSibling) build(BATCH);
  const beside = by > 0 ? current?.nextElementSibling : current?.previousElementSibling;
  goTo(current ? beside ?? current : list.firstElementChild);
}

const KEYS = { j: () => step(1), k: () => step(-1), "/": () => byId("search").focus() };
function press(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.target.closest("input, select, textarea")) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  if (!(event.key in KEYS)) return;
  event.preventDefault();
  KEYS[event.key]();
}

let waiting = 0;
byId("search").addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(show, 120); });
byId("tools").addEventListener("change", show);
byId("clear").addEventListener("click", clear);
next.addEventListener("click", () => build(BATCH));
new IntersectionObserver((seen) => { if (seen.some((one) => one.isIntersecting)) build(BATCH); }, { rootMargin: "800px" }).observe(next);
document.addEventListener("click", pick);
document.addEventListener("keydown", press);
addEventListener("hashchange", follow);
addEventListener("beforeprint", () => {
  build(Math.max(0, ON_PAPER - built));
  byId("paper").hidden = built >= fitting.length;
});
byId("tools").hidden = byId("keys-told").hidden = false;
if (matchMedia("(max-width: 48rem)").matches) byId("tools").querySelector("details").open = false;
show();
follow();
