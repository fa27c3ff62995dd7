// The data of the page, its elements, and its words in the language of the reader.
const byId = (id) => document.getElementById(id);
const data = JSON.parse(byId("data").textContent);
const LANGUAGES = Object.keys(data.texts);
const SETTINGS = "review:settings";
const settings = readSettings();
let language = LANGUAGES.includes(settings.language) ? settings.language : data.language ?? languageOfReader();

function readSettings() {
  try {
    return JSON.parse(localStorage.getItem(SETTINGS)) ?? {};
  } catch {
    return {};
  }
}

function keepSetting(name, value) {
  settings[name] = value;
  try {
    localStorage.setItem(SETTINGS, JSON.stringify(settings));
  } catch {
    // A setting may be lost; the votes have their own warning.
  }
}

function languageOfReader() {
  for (const wanted of navigator.languages) {
    if (/^zh\b.*\b(hant|tw|hk|mo)\b/i.test(wanted)) return "zh-Hant";
    if (/^zh\b/i.test(wanted)) return "zh-Hans";
    if (/^en\b/i.test(wanted)) return "en";
  }
  return "en";
}

function say(name, values = {}) {
  const text = data.texts[language][name] ?? name;
  return text.replace(/\{(\w+)\}/g, (_, key) => values[key]);
}

// A tag of the page's own is said in the reader's language, one that was made for this review as it is.
const reasonText = (reason) => data.texts[language][`reason_${reason}`] ?? reason;

function sayAll() {
  document.documentElement.lang = language;
  document.title = data.title ?? say("title");
  for (const element of document.querySelectorAll("[data-say]")) element.textContent = say(element.dataset.say);
  for (const element of document.querySelectorAll("[data-say-label]")) element.setAttribute("aria-label", say(element.dataset.sayLabel));
}

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === true) made.setAttribute(key, "");
    else if (value !== false && value != null) made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}
