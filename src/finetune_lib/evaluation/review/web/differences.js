// What one answer has and the other has not; shown on demand only, because it draws the eye to the form.
const MOST_TOKENS = 3000;
const TOKEN = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]|[\p{L}\p{N}\p{M}]+|[^\s\p{L}\p{N}]/gu;

function tokensOf(root) {
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  const tokens = [];
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    for (const match of node.data.matchAll(TOKEN)) tokens.push({ node, start: match.index, text: match[0] });
  }
  return tokens;
}

// Marks the differences of two elements; false where they are too long for it.
function markDifferences(left, right) {
  const sides = [tokensOf(left), tokensOf(right)];
  if (sides.some((tokens) => tokens.length > MOST_TOKENS)) return false;
  const common = inCommon(...sides);
  sides.forEach((tokens, side) => markTokens(tokens.filter((_, place) => !common[side].has(place))));
  return true;
}

// The places, on either side, of a longest common subsequence.
function inCommon(left, right) {
  const width = right.length + 1;
  const longest = new Uint16Array((left.length + 1) * width);
  for (let i = left.length - 1; i >= 0; i -= 1) {
    for (let j = right.length - 1; j >= 0; j -= 1) {
      const [below, beside] = [longest[(i + 1) * width + j], longest[i * width + j + 1]];
      longest[i * width + j] = left[i].text === right[j].text ? longest[(i + 1) * width + j + 1] + 1 : Math.max(below, beside);
    }
  }
  return walked(left, right, longest, width);
}

function walked(left, right, longest, width) {
  const common = [new Set(), new Set()];
  for (let i = 0, j = 0; i < left.length && j < right.length;) {
    if (left[i].text === right[j].text) {
      common[0].add(i);
      common[1].add(j);
      i += 1;
      j += 1;
    } else if (longest[(i + 1) * width + j] >= longest[i * width + j + 1]) i += 1;
    else j += 1;
  }
  return common;
}

// From the last one to the first, so that the places of those before stay true.
function markTokens(tokens) {
  for (const run of runsOf(tokens).reverse()) {
    const range = new Range();
    range.setStart(run.node, run.start);
    range.setEnd(run.node, run.end);
    range.surroundContents(element("mark"));
  }
}

// Neighbours in one text, with nothing but space between them, are marked as one.
function runsOf(tokens) {
  const runs = [];
  for (const { node, start, text } of tokens) {
    const last = runs.at(-1);
    if (last?.node === node && !node.data.slice(last.end, start).trim()) last.end = start + text.length;
    else runs.push({ node, start, end: start + text.length });
  }
  return runs;
}
