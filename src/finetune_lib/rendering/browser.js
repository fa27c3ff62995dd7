"use strict";
const list = document.getElementById("examples");
const cards = [...list.children];
const field = (name) => document.getElementById(name)?.value ?? "";
const texts = new Map(cards.map((card) => [card, card.textContent.normalize("NFKC").toLowerCase()]));

function matches(card) {
  const codes = card.dataset.codes ? card.dataset.codes.split(" ") : [];
  const code = field("code");
  if (code && !(code === "any" ? codes.length : codes.includes(code))) return false;
  if (field("category") && card.dataset.category !== field("category")) return false;
  return texts.get(card).includes(field("search").normalize("NFKC").toLowerCase());
}

function compare(order) {
  const number = (card, name) => Number(card.dataset[name]);
  if (order === "short") return (a, b) => number(a, "length") - number(b, "length");
  if (order === "long") return (a, b) => number(b, "length") - number(a, "length");
  return (a, b) => number(a, "number") - number(b, "number");
}

function show() {
  let shown = 0;
  for (const card of cards) {
    card.hidden = !matches(card);
    shown += !card.hidden;
  }
  document.getElementById("count").textContent = `${shown.toLocaleString()} shown`;
}

function reorder() {
  list.append(...[...cards].sort(compare(field("order"))));
}

for (const name of ["search", "code", "category"]) document.getElementById(name)?.addEventListener("input", show);
document.getElementById("order").addEventListener("input", reorder);
