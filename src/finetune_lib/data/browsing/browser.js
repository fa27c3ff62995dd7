"use strict";
const byId = (id) => document.getElementById(id);
const list = byId("examples");
const cards = [...list.children];
const fold = (text) => text.normalize("NFKC").toLowerCase();
const valueOf = (name) => byId(name)?.value ?? "";
cards.forEach((card, place) => { card.dataset.place = place; });

// What a card says, read once when the first search asks for it.
const texts = new Map();
function textOf(card) {
  if (!texts.has(card)) texts.set(card, fold(card.textContent) + withoutUnseen(card));
  return texts.get(card);
}

// An invisible character stands as its number; a word that it parts is found too.
function withoutUnseen(card) {
  if (!card.querySelector(".unseen")) return "";
  const copy = card.cloneNode(true);
  copy.querySelectorAll(".unseen").forEach((mark) => mark.remove());
  return `\n${fold(copy.textContent)}`;
}

function hasFinding(card, wanted) {
  const codes = card.dataset.codes ? card.dataset.codes.split(" ") : [];
  if (wanted === "any") return codes.length > 0;
  if (wanted === "none") return codes.length === 0;
  return !wanted || codes.includes(wanted);
}

const isLabelled = (given, wanted) => !wanted || `=${given ?? ""}` === wanted;

function isLong(card) {
  const length = Number(card.dataset.length ?? 0);
  return (!valueOf("least") || length >= Number(valueOf("least"))) && (!valueOf("most") || length <= Number(valueOf("most")));
}

function fits(card, query) {
  return hasFinding(card, valueOf("finding")) && isLabelled(card.dataset.category, valueOf("category"))
    && isLabelled(card.dataset.operation, valueOf("operation")) && isLong(card) && (!query || textOf(card).includes(query));
}

function show() {
  const query = fold(valueOf("search"));
  let shown = 0;
  for (const card of cards) {
    card.hidden = !fits(card, query);
    shown += card.hidden ? 0 : 1;
  }
  const count = byId("count");
  count.textContent = count.dataset.template.replace("{shown}", shown.toLocaleString())
    .replace("{all}", Number(count.dataset.all).toLocaleString());
  byId("none").hidden = shown > 0;
  highlight();
}

// Hits of the search are painted, not written: the page stays as it is.
const PAINTED = 500;
function highlight() {
  if (!CSS.highlights) return;
  CSS.highlights.delete("hit");
  const query = valueOf("search").toLowerCase();
  if (query) CSS.highlights.set("hit", new Highlight(...hits(query)));
}

function hits(query) {
  const found = [];
  for (const card of visible()) {
    const walker = document.createTreeWalker(card, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const text = node.data.toLowerCase();
      if (text.length !== node.data.length) continue;
      for (let place = text.indexOf(query); place >= 0; place = text.indexOf(query, place + query.length)) {
        const range = new Range();
        range.setStart(node, place);
        range.setEnd(node, place + query.length);
        found.push(range);
      }
      if (found.length > PAINTED) return found;
    }
  }
  return found;
}

const ORDERS = {
  short: (a, b) => a.dataset.length - b.dataset.length,
  long: (a, b) => b.dataset.length - a.dataset.length,
  grave: (a, b) => b.dataset.weight - a.dataset.weight,
};
function reorder() {
  const byPlace = (a, b) => a.dataset.place - b.dataset.place;
  const order = ORDERS[valueOf("order")];
  list.append(...[...cards].sort((a, b) => (order ? order(a, b) : 0) || byPlace(a, b)));
  highlight();
}

const visible = () => [...list.children].filter((card) => !card.hidden);

function goTo(element) {
  if (!element) return;
  document.querySelectorAll(".current").forEach((other) => other.classList.remove("current"));
  element.classList.add("current");
  element.closest(".example")?.classList.add("current");
  element.focus({ preventScroll: true });
  element.scrollIntoView({ block: element.matches(".example") ? "start" : "center" });
}

function step(elements, current, by) {
  const place = current ? elements.indexOf(current) : -1;
  if (place >= 0) return elements[Math.min(Math.max(place + by, 0), elements.length - 1)];
  return by > 0 ? elements[0] : elements.at(-1);
}

const currentCard = () => list.querySelector(".example.current:not([hidden])");
const nextCard = (by) => goTo(step(visible(), currentCard(), by));

// The next finding behind the current one, else behind the current example; behind the last one the first.
function nextFinding(by) {
  const all = [...list.querySelectorAll(".example:not([hidden]) .finding")];
  const from = list.querySelector(".finding.current") ?? currentCard();
  const after = (finding) => !from || from.compareDocumentPosition(finding) & Node.DOCUMENT_POSITION_FOLLOWING;
  const before = (finding) => from && from.compareDocumentPosition(finding) & Node.DOCUMENT_POSITION_PRECEDING;
  goTo(by > 0 ? all.find(after) ?? all[0] : all.findLast(before) ?? all.at(-1));
}

function clear() {
  for (const field of document.querySelectorAll(".filters input, .filters select")) field.value = "";
  reorder();
  show();
}

// A link leads to its example even where a filter hides it.
function follow(event) {
  const link = event.target.closest("a[href^='#']");
  const target = link && byId(link.hash.slice(1));
  if (!target) return;
  event.preventDefault();
  if (target.hidden) clear();
  goTo(target);
}

function unfold(event) {
  const button = event.target.closest("button.unfold");
  if (!button) return;
  const open = button.previousElementSibling.classList.toggle("open");
  button.dataset.more ??= button.textContent;
  button.textContent = open ? button.dataset.less : button.dataset.more;
}

// What is left out is remembered by the browser, where it may, and saved as a list for `Dataset.leave_out`.
const idOf = (card) => `${card.dataset.number} ${card.dataset.row}`;
const rows = cards.filter((card) => card.dataset.row);
const memory = `left out: ${document.title} ${rows[0]?.dataset.row}`;
const leftOut = new Set(remembered());
function remembered() {
  try {
    const ids = JSON.parse(localStorage.getItem(memory)) ?? [];
    return rows.map(idOf).filter((id) => ids.includes(id));
  } catch {
    return [];
  }
}

function remember() {
  try {
    localStorage.setItem(memory, JSON.stringify([...leftOut]));
  } catch { /* a frame or a full store: the list is saved by hand all the same */ }
}

function showLeftOut(card) {
  const out = leftOut.has(idOf(card));
  const button = card.querySelector(".leave");
  button.dataset.leave ??= button.textContent;
  button.textContent = out ? button.dataset.keep : button.dataset.leave;
  card.classList.toggle("left-out", out);
  const save = byId("save");
  save.hidden = leftOut.size === 0;
  save.textContent = save.dataset.template.replace("{number}", leftOut.size.toLocaleString());
}

function leaveOut(card) {
  if (!card?.dataset.row) return;
  if (!leftOut.delete(idOf(card))) leftOut.add(idOf(card));
  remember();
  showLeftOut(card);
}

function saveLeftOut() {
  const left_out = rows.filter((card) => leftOut.has(idOf(card)))
    .map((card) => ({ example: Number(card.dataset.number), row: card.dataset.row }));
  const link = document.createElement("a");
  const text = JSON.stringify({ dataset: document.title, left_out }, null, 1);
  link.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  link.download = `${document.title}.left-out.json`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

const KEYS = {
  j: () => nextCard(1),
  k: () => nextCard(-1),
  n: () => nextFinding(1),
  p: () => nextFinding(-1),
  x: () => leaveOut(currentCard()),
  "/": () => byId("search").focus(),
  "?": () => byId("help").showModal(),
};
function press(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || byId("help").open) return;
  if (event.target.closest("input, select, textarea")) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  if (!(event.key in KEYS)) return;
  event.preventDefault();
  KEYS[event.key]();
}

let waiting = 0;
function soon() {
  clearTimeout(waiting);
  waiting = setTimeout(show, 120);
}

byId("search").addEventListener("input", soon);
for (const name of ["finding", "category", "operation", "least", "most"]) byId(name)?.addEventListener("input", show);
byId("order").addEventListener("input", reorder);
byId("clear").addEventListener("click", clear);
byId("next")?.addEventListener("click", () => nextFinding(1));
byId("keys").addEventListener("click", () => byId("help").showModal());
byId("save").addEventListener("click", saveLeftOut);
list.addEventListener("click", (event) => {
  if (event.target.closest(".leave")) leaveOut(event.target.closest(".example"));
});
rows.forEach(showLeftOut);
byId("close").addEventListener("click", () => byId("help").close());
document.addEventListener("click", follow);
document.addEventListener("click", unfold);
document.addEventListener("keydown", press);
const filters = document.querySelector(".filters");
filters.hidden = false;
if (matchMedia("(max-width: 48rem)").matches) filters.querySelector("details").open = false;
show();
