// A small part of Markdown, built from nodes: text stays text. Nothing is fetched, no link can be followed.
const FENCE = /^\s{0,3}(`{3,}|~{3,})/;
const HEADING = /^\s{0,3}(#{1,6})\s+(.+?)\s*#*\s*$/;
const RULE = /^\s{0,3}([-*_])(\s*\1){2,}\s*$/;
const ENTRY = /^(\s*)([-*+]|\d{1,9}[.)])\s+(.*)$/;
const QUOTED = /^\s{0,3}>\s?(.*)$/;
const TABLE_LINE = /^\s*\|?(\s*:?-{2,}:?\s*\|)+\s*(:?-{2,}:?)?\s*$/;
const MARKS = /(`+)([^`\n]{1,2000})\1(?!`)|(\*\*|__)(?=\S)([^\n]{1,2000}?\S)\3|(?<![A-Za-z0-9*])\*(?=[^\s*])([^*\n]{1,2000})(?<=\S)\*(?!\*)|(!?)\[([^[\]\n]{0,500})\]\(\s*([^()\s]{1,2000})[^()\n]{0,300}\)/gu;
const DEEPEST = 6;

function markdown(text) {
  const result = document.createDocumentFragment();
  const lines = text.replace(/\r\n?/g, "\n").split("\n");
  while (lines.length) result.append(...block(lines));
  return result;
}

// Takes the lines of the next block away from the front.
function block(lines) {
  const line = lines[0];
  if (!line.trim()) return lines.shift(), [];
  if (FENCE.test(line)) return [codeBlock(lines)];
  if (HEADING.test(line)) return [heading(lines.shift())];
  if (RULE.test(line)) return lines.shift(), [element("hr")];
  if (QUOTED.test(line)) return [quotation(lines)];
  if (ENTRY.test(line)) return [listing(lines)];
  if (line.includes("|") && TABLE_LINE.test(lines[1] ?? "")) return [tableOf(lines)];
  return [paragraph(lines)];
}

function takeWhile(lines, fits) {
  const end = lines.findIndex((line) => !fits(line));
  return lines.splice(0, end < 0 ? lines.length : end);
}

function codeBlock(lines) {
  const fence = lines.shift().match(FENCE)[1];
  const code = takeWhile(lines, (line) => !line.trim().startsWith(fence));
  lines.shift();
  return element("pre", { dir: "ltr", tabindex: "0" }, element("code", {}, code.join("\n")));
}

// The page has headings of its own: these are only shown as such.
function heading(line) {
  const [, marks, text] = line.match(HEADING);
  return element("p", { class: `heading level${marks.length}`, dir: "auto" }, ...inline(text));
}

function quotation(lines) {
  const inner = takeWhile(lines, (line) => QUOTED.test(line)).map((line) => line.match(QUOTED)[1]);
  return element("blockquote", { dir: "auto" }, ...inline(inner.join("\n")));
}

function isPlain(line) {
  return line.trim() && ![FENCE, HEADING, RULE, QUOTED, ENTRY].some((kind) => kind.test(line));
}

function paragraph(lines) {
  const first = lines.shift();
  return element("p", { dir: "auto" }, ...inline([first, ...takeWhile(lines, isPlain)].join("\n")));
}

// Entries and what is indented below them; an entry that stands further in belongs to the one before.
function listing(lines) {
  const entries = takeWhile(lines, (line) => ENTRY.test(line) || /^\s+\S/.test(line));
  return nested(entries.map(entryOf));
}

function entryOf(line) {
  const match = line.match(ENTRY);
  return match ? { depth: match[1].length, mark: match[2], text: match[3] } : { depth: Infinity, mark: "", text: line.trim() };
}

function nested(entries, level = 0) {
  const ordered = /\d/.test(entries[0].mark);
  const list = element(ordered ? "ol" : "ul", { start: ordered ? parseInt(entries[0].mark, 10) : null });
  const depth = entries[0].depth;
  while (entries.length) {
    const item = element("li", { dir: "auto" }, ...inline(entries.shift().text));
    while (entries.length && !entries[0].mark) item.append("\n", ...inline(entries.shift().text));
    const deeper = level < DEEPEST ? takeWhile(entries, (entry) => entry.mark && entry.depth > depth + 1) : [];
    if (deeper.length) item.append(nested(deeper, level + 1));
    list.append(item);
  }
  return list;
}

function tableOf(lines) {
  const cells = (line) => line.trim().replace(/^\||\|$/g, "").split("|").map((cell) => inline(cell.trim()));
  const head = element("tr", {}, ...cells(lines.shift()).map((cell) => element("th", { dir: "auto" }, ...cell)));
  lines.shift();
  const rows = takeWhile(lines, (line) => line.includes("|"));
  const body = rows.map((row) => element("tr", {}, ...cells(row).map((cell) => element("td", { dir: "auto" }, ...cell))));
  return element("div", { class: "wide", tabindex: "0" }, element("table", {}, element("thead", {}, head), element("tbody", {}, ...body)));
}

// Bold, italic, code; of links and images the words and the address.
function inline(text, depth = 0) {
  if (depth > DEEPEST) return [text];
  const nodes = [];
  let end = 0;
  for (const match of text.matchAll(MARKS)) {
    nodes.push(text.slice(end, match.index), marked(match, depth));
    end = match.index + match[0].length;
  }
  nodes.push(text.slice(end));
  return nodes.filter((node) => node !== "");
}

function marked([whole, , code, , bold, italic, image, words, address], depth) {
  if (code !== undefined) return element("code", {}, code);
  if (bold !== undefined) return element("strong", {}, ...inline(bold, depth + 1));
  if (italic !== undefined) return element("em", {}, ...inline(italic, depth + 1));
  if (image) return element("span", { class: "address" }, `🖼 ${words} (${address})`);
  return words === undefined ? whole : element("span", {}, words, element("span", { class: "address" }, ` (${address})`));
}
