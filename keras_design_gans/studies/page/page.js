// The rating page: one item after the other, as the server hands them out.

import { currentLanguage, setLanguage, text } from "./texts.js";

const [title, main, status, switcher] = ["title", "main", "status", "language"].map((id) =>
  document.getElementById(id)
);
const PATIENCE = 20_000; // milliseconds to wait for the server
let state = null; // what the server says of this rater, see `Study.state`
let chosen = {}; // the answers to the item on the page: question -> value
let busy = false;

/** Makes an element: `h("button", {class: "x", onclick: f}, "text", otherElement)`. */
function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

/** Asks the server; an error carries its code. */
async function ask(path, body) {
  const options = { signal: AbortSignal.timeout(PATIENCE) };
  if (body) {
    options.method = "POST";
    options.headers = { "Content-Type": "application/json" };
    options.body = JSON.stringify(body);
  }
  try {
    const response = await fetch(path, options);
    const answer = await response.json();
    if (response.ok) return answer;
    throw Object.assign(new Error(), { code: answer.error });
  } catch (error) {
    throw error.code && typeof error.code === "string" ? error : { code: "connection" };
  }
}

/** Sends something once at a time, and shows what comes next. */
async function send(path, body) {
  if (busy) return;
  busy = true;
  status.textContent = "";
  try {
    state = await ask(path, body);
    chosen = {};
    show();
    if (body) main.focus(); // a step was made: readers and keyboards go on from its top
    scrollTo(0, 0);
  } catch ({ code }) {
    if (["repeated", "closed", "join", "item"].includes(code)) {
      busy = false;
      return send("state"); // the server knows better, such as after an answer got lost on its way
    }
    const known = ["connection", "full"].includes(code);
    status.textContent = known ? text(code) : text("failed", { code });
    status.scrollIntoView({ block: "nearest" });
  }
  busy = false;
}

const picture = (name, alt) => h("img", { src: `pictures/${name}`, alt });

/** One answer to a question: a radio button, so that arrow keys work. */
function option(question, value, label, name) {
  const input = h("input", {
    type: "radio",
    name: question.key,
    required: true,
    checked: chosen[question.key] === value,
    onchange: () => (chosen[question.key] = value),
  });
  if (name) input.setAttribute("aria-label", name);
  return h("label", {}, input, label);
}

function options(question) {
  if (question.kind === "choice")
    return state.item.pictures.map((name, i) => {
      const called = text("numbered", { n: i + 1 });
      const shown = h("span", {}, picture(name, ""), `${i + 1}`);
      return option(question, name, shown, called);
    });
  if (question.kind === "human")
    return ["human", "machine"].map((maker) => option(question, maker, h("span", {}, text(maker))));
  const ends = question[`ends_${currentLanguage()}`];
  return [1, 2, 3, 4, 5].map((value) => {
    const end = { 1: ends[0], 5: ends[1] }[value];
    return option(question, value, h("span", {}, `${value}`), end ? `${value}: ${end}` : false);
  });
}

function field(question) {
  const ends = question.kind === "rating" ? question[`ends_${currentLanguage()}`] : null;
  return h(
    "fieldset",
    { class: question.kind },
    h("legend", {}, question[currentLanguage()]),
    h("div", { class: "options" }, ...options(question)),
    ends &&
      h("div", { class: "ends", "aria-hidden": "true" }, ...ends.map((end) => h("span", {}, end)))
  );
}

function form() {
  const { item, questions, done, total } = state;
  const caption = currentLanguage() === "zh" ? item.caption_zh : item.caption;
  const single = questions[0].kind !== "choice";
  const submit = (event) => {
    event.preventDefault();
    send("answer", { item: item.id, answers: chosen });
  };
  return h(
    "form",
    { onsubmit: submit },
    h("progress", { value: done, max: total, "aria-label": text("progress", { done, total }) }),
    h("p", { class: "count" }, text("progress", { done, total })),
    caption ? h("p", { class: "caption" }, caption) : null,
    item.reference &&
      h(
        "figure",
        { class: "reference" },
        picture(item.reference, text("reference")),
        h("figcaption", {}, text("reference"))
      ),
    single ? h("figure", { class: "judged" }, picture(item.pictures[0], text("judged"))) : null,
    ...questions.map(field),
    h("button", { class: "main" }, text("next"))
  );
}

function intro() {
  const start = () => send("join", {});
  const keyboard = matchMedia("(hover: hover)").matches ? h("p", {}, text("keys")) : null;
  const button = h("button", { class: "main", type: "button", onclick: start }, text("start"));
  return h("div", {}, h("p", {}, text("intro")), keyboard, button);
}

function show() {
  document.documentElement.lang = currentLanguage() === "zh" ? "zh-CN" : "en";
  title.textContent = document.title = state?.title || text("title");
  switcher.textContent = text("language");
  switcher.lang = currentLanguage() === "zh" ? "en" : "zh-CN";
  if (!state) return;
  let content;
  if (state.closed) content = h("p", {}, text("closed"));
  else if (!state.joined) content = intro();
  else content = state.item ? form() : h("p", { class: "thanks" }, text("thanks"));
  main.replaceChildren(content);
}

/** A number answers the question that has the focus, or the first one that is still open. */
function press(event) {
  const number = Number(event.key);
  if (!(number >= 1) || event.repeat || event.ctrlKey || event.altKey || event.metaKey) return;
  const fields = [...document.querySelectorAll("fieldset")];
  const open = fields.find((one) => !one.querySelector(":checked"));
  const inputs = (document.activeElement.closest("fieldset") ?? open)?.querySelectorAll("input");
  if (!inputs?.[number - 1]) return;
  inputs[number - 1].click();
  const next = fields.find((one) => !one.querySelector(":checked"));
  (next?.querySelector("input") ?? document.querySelector("form .main")).focus();
}

function turn() {
  setLanguage(currentLanguage() === "zh" ? "en" : "zh");
  try {
    localStorage.setItem("language", currentLanguage());
  } catch {
    // Private windows may keep nothing; the language is then chosen anew.
  }
  status.textContent = "";
  show();
}

function firstLanguage() {
  try {
    return localStorage.getItem("language") ?? navigator.language.slice(0, 2);
  } catch {
    return navigator.language.slice(0, 2);
  }
}

setLanguage(firstLanguage());
switcher.addEventListener("click", turn);
document.addEventListener("keydown", press);
show();
send("state");
