// The keys. None of them acts while somebody types, and none while an input method puts characters together.
const ACTIONS = {
  list: showList,
  guidelines: () => { showGuidelines("guidelines"); byId("guidelines-dialog").showModal(); },
  keys: () => { showKeys(); byId("keys-dialog").showModal(); },
  stop: () => { keepWords(); go("end"); },
  differences: toggleDifferences,
  plain: togglePlain,
  expand: toggleExpand,
  together: toggleTogether,
  previous: () => move(-1),
  following: () => move(1),
  next,
  undo: takeBack,
  comment: () => byId("comment").focus(),
  "skip-practice": () => go("work"),
  "close-break": () => { byId("break").hidden = true; byId("heading").focus(); },
  "save-file": () => download(review.state ?? emptyState("")),
  "go-on": () => go("work"),
  copy: copyVotes,
};
const KEYS = {
  Enter: "next", Backspace: "undo", ArrowLeft: "previous", ArrowRight: "following", c: "comment", d: "differences",
  f: "plain", e: "expand", t: "together", l: "list", h: "guidelines", p: "stop", "?": "keys",
};
const CHOICE_OF = Object.fromEntries(Object.entries(KEY_OF).map(([choice, key]) => [key.toLowerCase(), choice]));
const EVERYWHERE = new Set(["guidelines", "keys"]);
const IN_PRACTICE = new Set(["next", "differences", "plain", "expand", "together"]);

function pressed(event) {
  if (event.isComposing || event.keyCode === 229 || event.defaultPrevented || event.repeat) return;
  if (document.querySelector("dialog[open]")) return;
  if (isTyping(event.target)) return void leaveTyping(event);
  if (isUndo(event)) return void obey(event, "undo");
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const key = keyName(event);
  if (isNative(event.target, key) || (key.length === 1 && settings.keysOff)) return;
  if (key in CHOICE_OF) obeyChoice(event, CHOICE_OF[key]);
  else if (key in KEYS) obey(event, KEYS[key]);
}

const isTyping = (target) => target.matches?.("textarea, select, input:not([type=radio], [type=checkbox], [type=file])") ?? false;
const isUndo = (event) => (event.ctrlKey || event.metaKey) && !event.shiftKey && event.key.toLowerCase() === "z";

function leaveTyping(event) {
  if (event.key !== "Escape" || screen !== "work") return;
  keepWords();
  byId("heading").focus({ preventScroll: true });
}

// Digits and letters by their place on the board, where the layout writes other characters there.
function keyName(event) {
  const digit = event.code.match(/^(?:Digit|Numpad)([1-5])$/);
  if (digit) return digit[1];
  const letter = event.code.match(/^Key([A-Z])$/);
  if (letter && !/^[a-z]$/i.test(event.key)) return letter[1].toLowerCase();
  return event.key.length === 1 ? event.key.toLowerCase() : event.key;
}

// What the browser does by itself: Enter on a button, arrows among radios.
function isNative(target, key) {
  if (key === "Enter") return target.matches?.("button, summary, a, [type=file]") ?? false;
  return key.startsWith("Arrow") && (target.matches?.("[type=radio], pre, .wide, .body") ?? false);
}

function allowed(action) {
  return EVERYWHERE.has(action) || screen === "work" || (screen === "practice" && IN_PRACTICE.has(action));
}

function obey(event, action) {
  if (!allowed(action)) return;
  event.preventDefault();
  ACTIONS[action]();
}

function obeyChoice(event, choice) {
  if (screen !== "work" && screen !== "practice") return;
  event.preventDefault();
  decide(choice);
}

// A choice, by key or by click.
function decide(choice) {
  if (screen === "practice") {
    practice.choice = choice;
    showExplanation(practiceItems()[practice.at]);
  } else choose(choice);
  showChoice(choice);
  if (screen === "work") showProgress();
}

// The next in line; behind the last one, the first that is still open; the end where none is.
function next() {
  if (screen === "practice") return practiseNext();
  keepWords();
  if (!isDone(review.at)) return askForChoice();
  const open = firstOpen();
  if (open < 0) return go("end");
  return visit(review.at + 1 < review.showings.length ? review.at + 1 : open);
}

function move(by) {
  const place = review.at + by;
  if (screen !== "work" || place < 0 || place >= review.showings.length) return;
  keepWords();
  visit(place);
}

function visit(place) {
  stopClock();
  review.at = place;
  showWork();
}

function takeBack() {
  if (screen !== "work") return;
  keepWords();
  stopClock();
  const place = undo();
  if (place === null) return announce(say("nothing_to_undo"));
  showWork();
  return announce(say("undone", { number: place + 1 }));
}

// Comment, tags and points belong to the item on the screen; an item without any of them has no vote yet.
function keepWords() {
  const words = wordsOnScreen();
  const before = voteAt(review.at) ?? { comment: "", reasons: [], rubric: {} };
  if (JSON.stringify([words.comment, words.reasons, words.rubric]) === JSON.stringify([before.comment, before.reasons, before.rubric])) return;
  Object.assign(currentVote(), words);
  save();
}

function wordsOnScreen() {
  const chosen = (id) => [...byId(id).querySelectorAll("input:checked")];
  return {
    comment: byId("comment").value.trim(),
    reasons: chosen("reasons").map((box) => box.value),
    rubric: Object.fromEntries(chosen("criteria").map((radio) => [radio.dataset.criterion, radio.value])),
  };
}

function showKeys() {
  const rows = [["1–5", "key_choose"], ["G", "both_good"], ["B", "both_bad"], ["S", "skip"], ["Q", "wrong_question"], ["Enter", "key_next"],
    ["Backspace, Ctrl+Z", "key_undo"], ["← →", "key_move"], ["C", "comment"], ["Esc", "key_escape"], ["D", "differences"], ["F", "plain"],
    ["E", "expand"], ["T", "together"], ["L", "list"], ["H", "guidelines"], ["P", "stop"], ["?", "keys"]];
  byId("keys-list").replaceChildren(...rows.flatMap(([key, text]) => [element("dt", {}, element("kbd", {}, key)), element("dd", {}, say(text))]));
}
