// Where votes are kept: in this browser, with a server on this computer if the page came from one, and in a file.
const FORMAT = "side-by-side votes";
const ADDRESS = document.querySelector("meta[name=votes]").content;
const placeOf = (rater) => `review:${data.set}:${rater}`;
let sending = Promise.resolve();
let unsafe = false; // whether something would be lost if the page were closed now

const emptyState = (rater) => ({ format: FORMAT, schema: data.schema, set: data.set, rater, language, revision: 0, votes: [] });

function isState(state) {
  return state?.format === FORMAT && state.schema === data.schema && state.set === data.set && Array.isArray(state.votes);
}

function readHere(rater) {
  try {
    const state = JSON.parse(localStorage.getItem(placeOf(rater)));
    return isState(state) ? state : null;
  } catch {
    return null;
  }
}

function ratersHere() {
  try {
    const start = placeOf("");
    return Object.keys(localStorage).filter((key) => key.startsWith(start)).map((key) => key.slice(start.length));
  } catch {
    return [];
  }
}

async function readThere(rater) {
  if (!ADDRESS) return null;
  try {
    const answer = await fetch(`${ADDRESS}&rater=${encodeURIComponent(rater)}`);
    const state = answer.ok ? await answer.json() : null;
    return isState(state) ? state : null;
  } catch {
    return null;
  }
}

const newer = (one, other) => (other && other.revision > (one?.revision ?? -1) ? other : one);

function keepHere(state) {
  try {
    localStorage.setItem(placeOf(state.rater), JSON.stringify(state));
    return true;
  } catch {
    return false;
  }
}

function canKeep() {
  try {
    localStorage.setItem("review:probe", "1");
    localStorage.removeItem("review:probe");
    return true;
  } catch {
    return false;
  }
}

async function sendThere(state) {
  try {
    const answer = await fetch(ADDRESS, { method: "POST", body: JSON.stringify(state), headers: { "Content-Type": "application/json" } });
    return answer.ok;
  } catch {
    return false;
  }
}

// One after the other, so that an older state never arrives after a newer one.
function keep(state) {
  state.revision += 1;
  state.saved = new Date().toISOString();
  const here = keepHere(state);
  if (!ADDRESS) return kept(here, "not_saved");
  const text = structuredClone(state);
  sending = sending.then(async () => kept(await sendThere(text), here ? "not_sent" : "not_saved"));
  return undefined;
}

function kept(well, trouble) {
  unsafe = !well;
  showTrouble(well ? null : trouble);
  if (well) showSaved();
}

function fileName(state) {
  const rater = state.rater.replace(/[^\p{L}\p{N}]+/gu, "-");
  return `review-${rater}-${state.set.slice(0, 6)}.json`;
}

function download(state) {
  const address = URL.createObjectURL(new Blob([asText(state)], { type: "application/json" }));
  const link = element("a", { href: address, download: fileName(state) });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), 10000);
  unsafe = false;
}

const asText = (state) => JSON.stringify(state, null, 1);

async function copy(text, field) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    field.select();
    return document.execCommand("copy");
  }
}
