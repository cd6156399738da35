// The character factory: draw, keep, change, morph and mix characters.

import { FREE, NONE, partsOf, vectorLength, vectorOf } from "./attributes.js";
import { lerp, randomNoise, slerp, steps } from "./latent.js";
import { Network, fetchModel, readModel } from "./model.js";
import { decodeSeed, encodeSeed } from "./seed.js";
import { Favourites, getSetting, setSetting } from "./storage.js";
import * as texts from "./texts.js";
import { card, download, h, heartButton, paint, picker, savePng, setHeart, tabs } from "./ui.js";

const { text } = texts;
const VIEWS = ["draw", "favourites", "change", "morph", "mix"];
const DRAW = 16;
const CHANGE = 10;
const AT_ONCE = 4; // pictures for each call of the network: the first ones are seen early

const root = document.getElementById("factory");
const heading = document.querySelector("article h1, h1");
const network = new Network();

let loaded = false;
let problem = null; // why there is no model: an error with a code
let favourites = null;
let kept = []; // the characters of the favourites
let view = "draw";
let choices = []; // for each group of attributes: FREE, NONE or an index
let drawn = [];
let others = []; // fill the empty places of the view "change"
let picked = { morph: null, first: null, second: null };
let path = "linear";
let cards = []; // those on the page now
let turn = 0; // counts what is shown, so that a drawing stops when it is not wanted any more
let page = {}; // elements that are written to

// Characters: {noise, attributes, image}

const groups = () => network.description.attributes;
const newCharacter = () => ({
  noise: randomNoise(network.description.latent_dim),
  attributes: vectorOf(groups(), choices),
});
const recordOf = ({ noise, attributes }) => ({
  seed: encodeSeed(noise),
  attributes: Array.from(attributes, (value) => Number(value.toFixed(4))),
});
const characterOf = ({ seed, attributes }) => ({
  noise: decodeSeed(seed, network.description.latent_dim),
  attributes: Float32Array.from(attributes),
});
const changed = (character) => ({
  noise: character.noise,
  attributes: vectorOf(groups(), choices, character.attributes),
});

const keyOf = (character) => JSON.stringify(recordOf(character));

function readKept() {
  const before = new Map(kept.map((character) => [keyOf(character), character]));
  kept = favourites.records
    .map(characterOf)
    .map((character) => before.get(keyOf(character)) ?? character);
}

/** What can be morphed and mixed: the favourites, and some of those drawn last. */
function candidates() {
  const all = [...kept, ...Object.values(picked).filter(Boolean), ...drawn.slice(0, 9)];
  return [...new Map(all.reverse().map((one) => [keyOf(one), one])).values()]
    .reverse()
    .slice(0, Math.max(12, kept.length + 3));
}

// Status and errors

function say(key, values) {
  page.status.textContent = text(key, values);
  page.status.classList.remove("is-error");
}

function complain(error) {
  if (!error.code) console.error(error);
  const key = error.code ? `error ${error.code}` : "error failed";
  page.status.textContent = text(key, { message: error.message, ...error, ...error.details });
  page.status.classList.add("is-error");
}

// Drawing

/** Draws the characters that have no picture yet, a few at a time; says how long it took. */
async function drawAll(characters, after) {
  const mine = turn;
  const waiting = characters.filter((character) => !character.image);
  const start = performance.now();
  root.setAttribute("aria-busy", "true");
  if (waiting.length) say("drawing");
  try {
    for (let i = 0; i < waiting.length; i += AT_ONCE) {
      const some = waiting.slice(i, i + AT_ONCE);
      const images = await network.draw(some);
      some.forEach((character, k) => (character.image = images[k]));
      if (mine !== turn) return;
      after();
    }
    after();
    const seconds = ((performance.now() - start) / 1000).toFixed(2);
    if (waiting.length) say("drawn", { n: waiting.length, seconds });
  } catch (error) {
    complain(error);
  } finally {
    if (mine === turn) root.removeAttribute("aria-busy");
  }
}

/** Fills a list with cards for the characters, and draws them. */
async function fill(list, characters, name = (n) => text("numbered", { n })) {
  const fresh = characters.map((character, i) =>
    card(character, name(list.children.length + i + 1), {
      open: () => openDetails(character),
      toggle: () => toggleFavourite(character),
    })
  );
  list.append(...fresh.map(({ element }) => element));
  cards.push(...fresh);
  showHearts();
  await drawAll(characters, () => {
    for (const { character, canvas } of fresh) {
      if (character.image && canvas.classList.contains("is-waiting")) {
        paint(canvas, character.image);
      }
    }
  });
}

const grid = (extra = "") => h("ul", { class: `f-grid ${extra}` });

// Favourites

function showHearts() {
  for (const { heart, character } of cards) {
    setHeart(heart, favourites.indexOf(recordOf(character)) >= 0);
  }
  page.tabs.show(view);
}

function toggleFavourite(character) {
  const record = recordOf(character);
  if (favourites.indexOf(record) >= 0) {
    favourites.remove(record);
    say("removed");
  } else {
    report("added", {}, favourites.add(record));
    kept.unshift(character);
  }
  readKept();
  showHearts();
}

function report(key, values, dropped) {
  say(key, values);
  const also = [
    dropped ? text("dropped", { n: dropped, limit: favourites.limit }) : "",
    favourites.saved ? "" : text("notSaved"),
  ];
  page.status.textContent = [page.status.textContent, ...also].filter(Boolean).join(" ");
}

async function importFavourites(event) {
  const [file] = event.target.files;
  event.target.value = "";
  if (!file) return;
  try {
    const { added, dropped } = favourites.addFile(await file.text());
    readKept();
    await showView();
    report("imported", { n: added }, dropped);
  } catch (error) {
    complain(error);
  }
}

// Views

const views = {
  async draw(panel) {
    const list = grid();
    const more = async (count) => {
      const fresh = Array.from({ length: count }, newCharacter);
      drawn = [...fresh, ...drawn].slice(0, 64);
      await fill(list, fresh);
    };
    const again = async () => {
      turn += 1;
      cards = [];
      list.replaceChildren();
      await more(DRAW);
    };
    panel.append(
      h(
        "div",
        { class: "f-actions" },
        h("button", { type: "button", class: "f-main", id: "f-draw", onclick: again }, text("drawNew"))
      ),
      list,
      h(
        "div",
        { class: "f-actions" },
        h(
          "button",
          { type: "button", id: "f-more", onclick: () => more(DRAW) },
          text("drawMore")
        )
      ),
      seedForm()
    );
    const shown = drawn.slice(0, DRAW);
    await (shown.length ? fill(list, shown) : more(DRAW));
  },

  async favourites(panel) {
    const limit = h("input", { type: "number", min: 1, max: 99, value: favourites.limit });
    limit.addEventListener("change", () => {
      const value = Math.min(99, Math.max(1, Math.round(Number(limit.value)) || favourites.limit));
      const dropped = favourites.setLimit(value);
      readKept();
      showView();
      if (dropped) say("dropped", { n: dropped, limit: value });
    });
    panel.append(
      h(
        "div",
        { class: "f-actions" },
        h(
          "button",
          {
            type: "button",
            id: "f-export",
            disabled: !kept.length,
            onclick: () =>
              download(
                new Blob([favourites.toFile()], { type: "application/json" }),
                `favourites-${network.name}.json`
              ),
          },
          text("exportFavourites")
        ),
        fileButton("f-import", text("importFavourites"), ".json", false, importFavourites),
        h("label", { class: "f-number" }, text("limit"), limit)
      )
    );
    if (!kept.length) {
      panel.append(h("p", { class: "f-empty" }, text("noFavourites")));
      return;
    }
    const list = grid();
    panel.append(list);
    await fill(list, kept);
  },

  async change(panel) {
    const size = network.description.latent_dim;
    while (others.length < CHANGE) {
      others.push({ noise: randomNoise(size), attributes: vectorOf(groups(), []) });
    }
    const anew = () => {
      others = [];
      showView();
    };
    const list = grid("f-ten");
    panel.append(
      list,
      h(
        "div",
        { class: "f-actions" },
        h("button", { type: "button", onclick: anew }, text("newOthers"))
      )
    );
    await fill(list, [...kept, ...others].slice(0, CHANGE).map(changed));
  },

  async morph(panel) {
    const all = await choosable();
    pick("morph", all, all[0]);
    const { noise, attributes } = picked.morph;
    const target = vectorOf(groups(), choices, attributes);
    const characters = steps(lerp, attributes, target).map((between) => ({
      noise,
      attributes: between,
    }));
    panel.append(pickerOf("character", "morph", all));
    await showSteps(panel, characters, "morph");
  },

  async mix(panel) {
    const all = await choosable();
    pick("first", all, all[0]);
    pick("second", all, all.find((character) => character !== picked.first));
    const { attributes } = changed(picked.first);
    const way = { linear: lerp, spherical: slerp }[path];
    const characters = steps(way, picked.first.noise, picked.second.noise).map((noise) => ({
      noise,
      attributes,
    }));
    const options = ["linear", "spherical"].map((name) =>
      h(
        "label",
        {},
        h("input", {
          type: "radio",
          name: "f-path",
          value: name,
          checked: name === path,
          onchange: () => {
            path = name;
            showView();
          },
        }),
        text(name)
      )
    );
    panel.append(
      pickerOf("first", "first", all),
      pickerOf("second", "second", all),
      h("fieldset", { class: "f-path" }, h("legend", {}, text("path")), ...options),
      h("p", { class: "f-hint" }, text("hint path"))
    );
    await showSteps(panel, characters, `mix-${path}`);
  },
};

/** The candidates, all with a picture. */
async function choosable() {
  while (kept.length + drawn.length < 2) drawn.push(newCharacter());
  const all = candidates();
  await drawAll(all, () => {});
  return all;
}

/** Keeps what was picked if it is still among the candidates. */
function pick(slot, all, otherwise) {
  const before = picked[slot] && keyOf(picked[slot]);
  picked[slot] = all.find((character) => keyOf(character) === before) ?? otherwise;
}

function pickerOf(label, slot, all) {
  return picker(text(label), `f-${slot}`, all, picked[slot], (character) => {
    picked[slot] = character;
    showView();
  });
}

async function showSteps(panel, characters, name) {
  const list = grid("f-steps");
  const save = () =>
    savePng(
      characters.map(({ image }) => image),
      `${name}.png`
    );
  const button = h("button", { type: "button", id: "f-strip", onclick: save }, text("saveStrip"));
  button.disabled = true;
  panel.append(list, h("div", { class: "f-actions" }, button));
  await fill(list, characters, (n) => text("step", { n }));
  button.disabled = !characters.every(({ image }) => image);
}

/** Draws the chosen view anew; the keyboard's focus stays where it was. */
async function showView() {
  page.tabs.show(view);
  showAttributes();
  const focused = root.contains(document.activeElement) ? focusPath(document.activeElement) : null;
  const panel = h("div", {
    id: "f-panel",
    role: "tabpanel",
    tabindex: "-1",
    "aria-labelledby": `f-tab-${view}`,
  });
  turn += 1;
  cards = [];
  panel.append(h("p", { class: "f-hint" }, text(`hint ${view}`)));
  const mine = panel;
  const before = page.panel;
  page.panel = panel;
  const filled = views[view](panel);
  before.replaceWith(panel);
  const restore = () => {
    if (focused && page.panel === mine && !root.contains(document.activeElement)) {
      root.querySelector(focused)?.focus({ preventScroll: true });
    }
  };
  restore();
  await filled;
  restore();
}

/** A selector that finds a control again after its view was drawn anew. */
function focusPath(element) {
  if (element.id) return `#${element.id}`;
  if (element.type === "radio") return `input[name="${element.name}"]:checked`;
  return null;
}

function select(name) {
  view = name;
  showView();
}

// Attributes

function showAttributes() {
  const free = view === "draw" || view === "favourites" ? "any" : "as it is";
  page.attributes.hidden = view === "favourites" || !groups().length;
  const n = choices.filter((choice) => choice !== FREE).length;
  page.chosen.textContent = n ? text("chosen", { n }) : "";
  const fields = groups().map((group, g) => {
    const option = (value, label) =>
      h("option", { value, selected: String(choices[g]) === String(value) }, label);
    const id = `f-attribute-${g}`;
    const menu = h(
      "select",
      { id, onchange: (event) => choose(g, event.target.value) },
      option(FREE, text(free)),
      group.optional ? option(NONE, text("none")) : null,
      ...group.names.map((_, i) => option(i, texts.valueName(group, i)))
    );
    if (choices[g] !== FREE) menu.classList.add("is-chosen");
    return h("div", { class: "f-field" }, h("label", { for: id }, texts.groupName(group)), menu);
  });
  const id = document.activeElement?.id;
  page.fields.replaceChildren(...fields);
  if (id?.startsWith("f-attribute-")) document.getElementById(id)?.focus();
}

function choose(g, value) {
  choices[g] = value === FREE || value === NONE ? value : Number(value);
  if (view === "draw") showAttributes();
  else showView();
}

function chooseNothing() {
  choices = groups().map(() => FREE);
  if (view === "draw") showAttributes();
  else showView();
}

// Details of one character

function openDetails(character) {
  if (!character.image) return;
  const seed = h("textarea", { id: "f-seed-of", rows: 6, readonly: true, spellcheck: "false" });
  seed.value = encodeSeed(character.noise);
  const canvas = h("canvas", { role: "img", "aria-label": text("character") });
  paint(canvas, character.image);
  const heart = heartButton(() => {
    toggleFavourite(character);
    setHeart(heart, favourites.indexOf(recordOf(character)) >= 0);
  });
  setHeart(heart, favourites.indexOf(recordOf(character)) >= 0);
  const rows = partsOf(groups(), character.attributes).map(({ group, parts }) => {
    const shares = parts.map(([i, share]) => {
      const percent = share > 0.995 ? "" : ` ${Math.round(share * 100)} %`;
      return texts.valueName(group, i) + percent;
    });
    const value = shares.join(", ") || text("none");
    return h("div", {}, h("dt", {}, texts.groupName(group)), h("dd", {}, value));
  });
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(seed.value);
      say("copied");
      note.textContent = text("copied");
    } catch {
      seed.select();
      note.textContent = text("copyFailed");
    }
  };
  const goTo = (name, slot) => {
    picked = { ...picked, [slot]: character };
    dialog.close();
    select(name);
    document.getElementById(`f-tab-${name}`).focus();
  };
  const note = h("p", { class: "f-note", role: "status" });
  const button = (label, onclick, properties = {}) =>
    h("button", { type: "button", onclick, ...properties }, label);
  const dialog = h(
    "dialog",
    { class: "f-dialog", "aria-label": text("character") },
    h("div", { class: "f-large" }, canvas, heart),
    h(
      "div",
      { class: "f-about" },
      h(
        "div",
        { class: "f-actions" },
        button(text("savePng"), () => savePng([character.image], "character.png"), { id: "f-png" }),
        groups().length ? button(text("morph"), () => goTo("morph", "morph")) : null,
        button(text("mix"), () => goTo("mix", "first")),
        button(text("close"), () => dialog.close(), { class: "f-main", id: "f-close" })
      ),
      h("dl", {}, ...rows),
      h(
        "div",
        { class: "f-seed" },
        h("label", { for: "f-seed-of" }, text("seed")),
        button(text("copy"), copy, { id: "f-copy" })
      ),
      seed,
      note
    )
  );
  dialog.addEventListener("close", () => {
    dialog.remove();
    if (view === "favourites") showView();
  });
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  root.append(dialog);
  dialog.showModal();
}

function seedForm() {
  const length = Math.ceil((network.description.latent_dim * 2) / 3) * 4;
  const input = h("textarea", { id: "f-seed", rows: 3, spellcheck: "false", required: true });
  const open = async (event) => {
    event.preventDefault();
    try {
      const noise = decodeSeed(input.value, network.description.latent_dim);
      const character = { noise, attributes: vectorOf(groups(), choices) };
      await drawAll([character], () => {});
      drawn.unshift(character);
      openDetails(character);
    } catch (error) {
      complain(error);
    }
  };
  return h(
    "details",
    { class: "f-box" },
    h("summary", {}, text("seedTitle")),
    h(
      "form",
      { onsubmit: open },
      h("p", { class: "f-hint" }, text("seedHint", { n: length })),
      h("label", { for: "f-seed" }, text("seed")),
      input,
      h("div", { class: "f-actions" }, h("button", { id: "f-open-seed" }, text("open")))
    )
  );
}

// The model

function fileButton(id, label, accept, multiple, onchange) {
  const input = h("input", { type: "file", id, accept, multiple, onchange });
  return h("label", { class: "f-file" }, input, label);
}

async function useModel(model) {
  say("loading");
  root.setAttribute("aria-busy", "true");
  try {
    await network.load(await model);
    problem = null;
    loaded = true;
    const { latent_dim: size, attributes } = network.description;
    const seedLength = Math.ceil((size * 2) / 3) * 4;
    favourites = new Favourites(network.name, seedLength, vectorLength(attributes));
    kept = [];
    readKept();
    choices = attributes.map(() => FREE);
    [drawn, others, picked, view] = [[], [], { morph: null, first: null, second: null }, "draw"];
    build();
    await showView();
  } catch (error) {
    if (!loaded) problem = error;
    root.removeAttribute("aria-busy");
    complain(error);
    if (!loaded) page.model.open = true;
  }
}

const openFiles = (files) => useModel(readModel(files));

// The page

function build() {
  root.lang = texts.currentLanguage() === "zh" ? "zh-Hans" : "en";
  heading.firstChild.textContent = text("title");
  const language = h(
    "button",
    { type: "button", class: "f-language", id: "f-language", onclick: switchLanguage },
    text("language")
  );
  language.lang = texts.currentLanguage() === "zh" ? "en" : "zh-Hans";
  const intro = h("p", { class: "f-intro" }, text("intro"));
  page = { status: h("p", { class: "f-status", role: "status", "aria-live": "polite" }) };
  const title = (name) =>
    name === "favourites" && loaded ? `${text(name)} (${kept.length})` : text(name);
  const names = VIEWS.filter((name) => loaded && (groups().length || !/change|morph/.test(name)));
  page.tabs = tabs(text("views"), names, title, select);
  page.panel = h("div", { id: "f-panel" });
  page.fields = h("div", { class: "f-fields" });
  page.chosen = h("span", { class: "f-chosen" });
  page.attributes = h(
    "details",
    { class: "f-attributes", open: !matchMedia("(max-width: 44rem)").matches },
    h("summary", {}, text("attributes"), " ", page.chosen),
    page.fields,
    h("button", { type: "button", id: "f-reset", onclick: chooseNothing }, text("reset"))
  );
  page.attributes.hidden = true;
  page.model = modelBox();
  root.replaceChildren(
    h("div", { class: "f-top" }, intro, language),
    ...(loaded ? [page.tabs.list] : []),
    page.status,
    h("div", { class: "f-body" }, page.attributes, page.panel),
    page.model
  );
}

function modelBox() {
  const about = h("p", {});
  if (loaded) {
    const [height, width] = network.description.image_shape;
    const size = (network.size / 1e6).toFixed(1);
    about.textContent = text("modelIs", { name: network.name, width, height, size });
  }
  const hint = h("p", { class: "f-hint" });
  hint.innerHTML = text("modelHint"); // a text of this page, with <code>
  const open = (event) => {
    const files = [...event.target.files];
    event.target.value = "";
    if (files.length) openFiles(files);
  };
  return h(
    "details",
    { class: "f-box" },
    h("summary", {}, text("model")),
    about,
    hint,
    h(
      "div",
      { class: "f-actions" },
      fileButton("f-model", text("openModel"), ".onnx,.json", true, open)
    )
  );
}

async function switchLanguage() {
  texts.setLanguage(texts.currentLanguage() === "zh" ? "en" : "zh");
  setSetting("language", texts.currentLanguage());
  build();
  document.getElementById("f-language").focus();
  if (loaded) await showView();
  else if (problem) {
    complain(problem);
    page.model.open = true;
  }
}

function allowDrops() {
  root.addEventListener("dragover", (event) => event.preventDefault());
  root.addEventListener("drop", (event) => {
    event.preventDefault();
    if (event.dataTransfer.files.length) openFiles(event.dataTransfer.files);
  });
}

const asked = getSetting("language", navigator.language.startsWith("zh") ? "zh" : "en");
texts.setLanguage(asked);
build();
allowDrops();
network.warmUp().catch(() => {}); // an error comes again when the model is loaded
await useModel(fetchModel(root.dataset.model));
