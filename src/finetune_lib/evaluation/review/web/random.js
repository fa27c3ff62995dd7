// Each rater has an order and sides of their own, the same ones whenever the page is opened again.
const GAP = 10; // items at least between an item and its repetition, where there are enough of them
const gapOf = (count) => Math.min(GAP, Math.floor(count / 2));

// FNV-1a over the UTF-16 units: small, and good enough to tell names apart.
function hashOf(text) {
  let hash = 0x811c9dc5;
  for (let place = 0; place < text.length; place += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(place), 0x01000193);
    hash ^= hash >>> 15;
  }
  return hash >>> 0;
}

// Mulberry32: numbers from 0 to 1 that follow from the seed.
function numbersFrom(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

function shuffled(list, number) {
  const mixed = [...list];
  for (let last = mixed.length - 1; last > 0; last -= 1) {
    const other = Math.floor(number() * (last + 1));
    [mixed[last], mixed[other]] = [mixed[other], mixed[last]];
  }
  return mixed;
}

function layoutOf(rater) {
  const known = data.reviewers.indexOf(rater);
  return data.layouts[(known >= 0 ? known : hashOf(rater)) % data.layouts.length];
}

// What this rater sees, one after the other: the common core first, then the rest, repetitions in between.
function showingsOf(rater) {
  const number = numbersFrom(hashOf(`${data.set}:${rater}`));
  const { sides, repeats } = layoutOf(rater);
  const places = [...data.items.keys()];
  const order = [...coreOrder(places.slice(0, data.core), repeats, number), ...shuffled(places.slice(data.core), number)];
  const shown = order.map((place) => ({ place, showing: 1, left: Number(sides[place]) }));
  for (const place of repeats) insertRepeat(shown, place, number);
  return shown;
}

// What is repeated comes early enough that it can be forgotten before it comes again.
function coreOrder(core, repeats, number) {
  const order = shuffled(core.filter((place) => !repeats.includes(place)), number);
  const room = Math.min(core.length, data.items.length - gapOf(data.items.length)) - repeats.length + 1;
  for (const place of shuffled(repeats, number)) order.splice(Math.floor(number() * room), 0, place);
  return order;
}

function insertRepeat(shown, place, number) {
  const first = shown.findIndex((one) => one.place === place);
  const least = first + 1 + gapOf(data.items.length);
  const at = least + Math.floor(number() * (shown.length - least + 1));
  shown.splice(at, 0, { place, showing: 2, left: 1 - shown[first].left });
}
