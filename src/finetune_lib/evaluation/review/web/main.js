// What happens when: clicks, keys, typing, leaving and coming back.
const TYPED = 400; // ms of silence after which a comment is kept

function clicked(event) {
  const button = event.target.closest("[data-act], [data-name], [data-place]");
  if (!button) return;
  if (button.dataset.act) ACTIONS[button.dataset.act]();
  else if (button.dataset.name !== undefined) nameChosen(button.dataset.name);
  else {
    byId("list-dialog").close();
    keepWords();
    visit(Number(button.dataset.place));
  }
}

function nameChosen(name) {
  byId("rater").value = name;
  showWelcome();
  byId("begin").focus();
}

// After a click the focus goes back, so that arrows lead to other items and not to another choice.
function choiceClicked(event) {
  if (event.target.type !== "radio") return;
  decide(event.target.value);
  if (clickedByPointer) byId("heading").focus({ preventScroll: true });
}

let clickedByPointer = false;
let waiting = 0;
function soonKept() {
  clearTimeout(waiting);
  waiting = setTimeout(() => { if (screen === "work") keepWords(); }, TYPED);
}

function languageChosen(event) {
  if (screen === "work") keepWords();
  language = event.target.value;
  keepSetting("language", language);
  makeReasons();
  sayAll();
  refresh();
}

// The words that are not marked in the page follow, too; what is on the screen stays there.
function refresh() {
  const trouble = byId("alert-text").dataset.say;
  if (trouble) byId("alert-text").textContent = say(trouble);
  byId("saved").textContent = "";
  if (screen === "start") showStart();
  else go(screen);
}

// Another window of the same rater has gone on.
function changedElsewhere(event) {
  const rater = review.state?.rater;
  if (!rater || event.key !== placeOf(rater)) return;
  const state = newer(review.state, readHere(rater));
  if (state === review.state) return;
  const place = review.at;
  open(state);
  review.at = place;
  if (screen === "work") showWork();
}

function left(event) {
  if (unsafe) event.preventDefault();
}

function makeLanguages() {
  const options = LANGUAGES.map((name) => element("option", { value: name, lang: name }, data.texts[name].language_name));
  byId("language").replaceChildren(...options);
  byId("language").value = language;
}

function listen() {
  document.addEventListener("click", clicked);
  document.addEventListener("keydown", pressed);
  document.addEventListener("pointerdown", () => { clickedByPointer = true; });
  document.addEventListener("keydown", () => { clickedByPointer = false; }, true);
  document.addEventListener("scroll", scrollTogether, { capture: true, passive: true });
  document.addEventListener("visibilitychange", () => (document.hidden ? stopClock() : screen === "work" && startClock()));
  byId("choices").addEventListener("change", choiceClicked);
  byId("why").addEventListener("input", soonKept);
  byId("who").addEventListener("submit", begin);
  byId("rater").addEventListener("input", showWelcome);
  byId("file").addEventListener("change", loadFile);
  byId("language").addEventListener("change", languageChosen);
  byId("keys-on").addEventListener("change", (event) => keepSetting("keysOff", !event.target.checked));
  addEventListener("storage", changedElsewhere);
  addEventListener("pagehide", () => { if (screen === "work") keepWords(); });
  addEventListener("beforeunload", left);
  addEventListener("resize", () => { if (shown.item) makeScrollable(); });
}

byId("keys-on").checked = !settings.keysOff;
makeLanguages();
makeChoices();
makeReasons();
sayAll();
listen();
go("start");
if (!ADDRESS && !canKeep()) {
  unsafe = true;
  showTrouble("not_saved");
}
