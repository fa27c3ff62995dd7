// The votes of one rater: what was chosen, what was taken back, and how long it took.
const CHOICES = ["left_much", "left", "same", "right", "right_much", "both_good", "both_bad", "skip", "wrong_question"];
const review = { state: null, showings: [], votes: new Map(), at: 0, undoable: [], sinceBreak: { votes: 0, time: 0 } };
const clock = { since: null, spent: new Map() };
const keyOf = (showing) => `${data.items[showing.place].id}/${showing.showing}`;
const current = () => review.showings[review.at];
const voteAt = (place) => review.votes.get(keyOf(review.showings[place]));
const isDone = (place) => Boolean(voteAt(place)?.choice);

function open(state) {
  review.state = state;
  review.votes = new Map(state.votes.map((vote) => [`${vote.item}/${vote.showing}`, vote]));
  review.showings = showingsOf(state.rater);
  for (const showing of review.showings) showing.left = review.votes.get(keyOf(showing))?.left ?? showing.left;
  review.undoable = [];
  review.at = Math.max(firstOpen(), 0);
}

const firstOpen = () => review.showings.findIndex((_, place) => !isDone(place));

function currentVote() {
  const showing = current();
  const key = keyOf(showing);
  if (!review.votes.has(key)) review.votes.set(key, freshVote(showing));
  return review.votes.get(key);
}

function freshVote({ place, showing, left }) {
  const fields = { choice: null, reasons: [], comment: "", rubric: {}, seconds: 0, at: null, history: [] };
  return { item: data.items[place].id, showing, position: review.at + 1, left, ...fields };
}

function setChoice(vote, choice) {
  vote.choice = choice;
  vote.at = new Date().toISOString();
  vote.history.push({ choice, at: vote.at });
}

function choose(choice) {
  const vote = currentVote();
  if (vote.choice === choice) return;
  review.undoable.push({ place: review.at, before: vote.choice });
  if (!vote.choice) review.sinceBreak.votes += 1;
  vote.seconds = Math.round(secondsHere() * 10) / 10;
  setChoice(vote, choice);
  save();
}

// The last vote goes back to what it was before; after a reload, the newest one is taken back.
function undo() {
  const last = review.undoable.pop() ?? newestVote();
  if (!last) return null;
  review.at = last.place;
  setChoice(currentVote(), last.before);
  save();
  return last.place;
}

function newestVote() {
  const done = review.showings.map((_, place) => place).filter(isDone);
  if (!done.length) return null;
  return { place: done.reduce((one, other) => (voteAt(other).at > voteAt(one).at ? other : one)), before: null };
}

function save() {
  review.state.votes = [...review.votes.values()];
  review.state.language = language;
  keep(review.state);
}

// Only time in which the page is in front counts.
function startClock() {
  clock.since = document.hidden ? null : performance.now();
}

function stopClock() {
  if (clock.since === null || !review.showings.length) return;
  const spent = (performance.now() - clock.since) / 1000;
  clock.spent.set(keyOf(current()), (clock.spent.get(keyOf(current())) ?? 0) + spent);
  review.sinceBreak.time += spent;
  clock.since = null;
}

function secondsHere() {
  stopClock();
  startClock();
  return clock.spent.get(keyOf(current())) ?? 0;
}

const MEDIAN_FROM = 3;
function minutesLeft() {
  const times = [...review.votes.values()].filter((vote) => vote.choice).map((vote) => vote.seconds).sort((a, b) => a - b);
  if (times.length < MEDIAN_FROM) return null;
  const open = review.showings.filter((_, place) => !isDone(place)).length;
  return Math.max(1, Math.round((times[Math.floor(times.length / 2)] * open) / 60));
}

const BREAK_VOTES = 40;
const BREAK_SECONDS = 25 * 60;
function needsBreak() {
  const { votes, time } = review.sinceBreak;
  if (votes < BREAK_VOTES && time < BREAK_SECONDS) return false;
  review.sinceBreak = { votes: 0, time: 0 };
  return true;
}
