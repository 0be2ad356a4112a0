// The page of the board. Whatever learners wrote becomes text (textContent) and nothing else.

const byId = (id) => document.getElementById(id);
const SIZES = [1.4, 1.25, 1.1, 1, 0.9, 0.8, 0.72, 0.65]; // of names: the largest that has room
const ORDER = ["failed", "open", "passed"]; // who may want help comes first
const WRONG = 4401, WAIT = 4429, ENDED = 4410;
const SURE_MS = 5000;
const LONGEST_WAIT_MS = 5000;
const FIRST_PX = 300, HIGHEST_PX = 4000;
const WIDE_PX = { large: 1100, small: 460 }; // what a run that goes on is drawn for, and scaled from
const LARGE_PART = 0.76; // of the page's height, as that of #picture

let pass = null; // what lets this page in: {code} or {instructor}
let socket = null;
let about = null; // the board's first message
let state = null; // its latest
let heard = Date.now();
let failures = 0;
let retry = 0;
let picked = ""; // which timeline: its id
const known = new Set(); // the ids of those that have been shown
let followed = null; // the run that goes on before our eyes

// ---- the connection --------------------------------------------------------------------------

function readPass() {
  const given = new URLSearchParams(location.hash.slice(1));
  for (const kind of ["instructor", "code"]) {
    if (given.get(kind)) {
      sessionStorage.setItem("pass", JSON.stringify({ [kind]: given.get(kind) }));
    }
  }
  if (location.hash) history.replaceState(null, "", location.pathname); // a room would read it
  pass = JSON.parse(sessionStorage.getItem("pass"));
}

function connect() {
  clearTimeout(retry);
  leave();
  const address = new URL("live", location.href);
  address.protocol = address.protocol.replace("http", "ws");
  const mine = (socket = new WebSocket(address));
  heard = Date.now();
  mine.onopen = () => mine.send(JSON.stringify(pass));
  mine.onmessage = (event) => {
    heard = Date.now();
    failures = 0;
    take(JSON.parse(event.data));
  };
  mine.onclose = (event) => lost(event.code);
}

function leave() {
  if (!socket) return;
  socket.onopen = socket.onmessage = socket.onclose = null;
  socket.close();
  socket = null;
}

function lost(code) {
  socket = null;
  if (code === WRONG) return ask(pass.instructor
    ? "This instructor's link is no longer valid. The code shows the board as well."
    : "This is not the board's code.");
  if (code === WAIT) return ask("Too many wrong codes came from here: wait a minute.");
  if (code === ENDED) return say("The board has ended.");
  failures += 1;
  say(state ? `not connected since ${state.clock}` : "not connected");
  retry = setTimeout(connect, Math.min(LONGEST_WAIT_MS, 250 * 2 ** failures));
}

// A tab that was asleep, or a network that swallows: nobody says that the connection is gone.
function look() {
  const beat = (about ? about.beat_s : 5) * 1000;
  if (socket && Date.now() - heard > 4 * beat) {
    leave();
    lost(0);
  }
}

function wake() {
  if (document.visibilityState === "visible" && pass && !byId("board").hidden) {
    look();
    if (!socket && failures) connect();
  }
}

function ask(why) {
  sessionStorage.removeItem("pass");
  pass = null;
  byId("board").hidden = true;
  byId("door").hidden = false;
  byId("refused").textContent = why;
  byId("typed").focus();
}

function say(words) {
  byId("connection").textContent = words;
  byId("connection").className = words ? "lost" : "";
}

function take(message) {
  if (message.titles) {
    about = message;
    byId("door").hidden = true;
    byId("board").hidden = false;
    byId("instructs").hidden = !about.instructor;
    return;
  }
  state = message;
  say("");
  draw();
}

// ---- drawing ---------------------------------------------------------------------------------

function make(name, text = "", kind = "") {
  const element = document.createElement(name);
  element.textContent = text;
  if (kind) element.className = kind;
  return element;
}

function draw() {
  const aside = state.failures.length || state.timelines.length;
  document.querySelector("main").classList.toggle("alone", !aside);
  drawHead();
  drawFailures();
  drawTimeline();
  drawExercises();
  drawDesk();
}

function drawHead() {
  const [place, ...others] = about.addresses.map((each) => each.replace("http://", ""));
  const { code, joining } = state;
  const several = others.length ? ` (or ${others.slice(0, 2).join(", ")})` : "";
  const open = place ? `Join at${several}` : "Join: start your server"; // a hub lets learners in
  byId("how").textContent = joining ? open : "Nobody can join now";
  byId("address").textContent = place ?? "";
  byId("code").parentElement.hidden = !place;
  byId("ways").hidden = !place || !joining;
  byId("code").textContent = joining ? `${code.slice(0, 3)} ${code.slice(3)}` : "closed";
  byId("here").textContent = state.learners.length;
  byId("passes").textContent = sum(Object.values(state.exercises).map((each) => each.passed));
  byId("clock").textContent = state.clock;
  byId("nothing").hidden = state.learners.length > 0;
  byId("legend").hidden = !state.learners.length;
  const command = place ? `playground join ${place} ${code} --name YOU` : "";
  byId("command").textContent = joining ? command : "";
  byId("terminal").textContent = command;
  byId("notebook").textContent = `playground.join("${place}", "${code}", name="YOU")`;
}

function sum(numbers) {
  return numbers.reduce((all, one) => all + one, 0);
}

function drawExercises() {
  const here = new Map();
  for (const each of state.learners) {
    const name = each.exercise ?? "";
    here.set(name, [...(here.get(name) ?? []), each]);
  }
  const order = ["", ...Object.keys(about.titles)];
  const busy = order.filter((name) => here.has(name));
  const earlier = order.filter((name) => !here.has(name) && state.exercises[name]?.tried);
  byId("exercises").replaceChildren(
    ...busy.map((name) => exercise(name, here.get(name))),
    ...earlier.map((name) => exercise(name, [])),
  );
  const rooms = byId("rooms");
  for (const size of SIZES) {
    rooms.style.setProperty("--names", `${size}rem`);
    rooms.classList.toggle("dense", size < 0.9);
    if (rooms.scrollHeight <= rooms.clientHeight) break;
  }
}

function exercise(name, people) {
  const item = make("li", "", people.length ? "" : "earlier");
  const rated = state.exercises[name];
  const head = make("div", "", "head");
  head.append(
    make("h3", name ? about.titles[name] : "Joined, nothing checked yet"),
    make("small", name),
  );
  if (rated?.tried) head.append(rate(rated));
  item.append(head);
  if (people.length) {
    const list = make("ul", "", "people");
    const sorted = ORDER.flatMap((kind) => people.filter((each) => kindOf(each) === kind));
    list.append(...sorted.map(person));
    item.append(list);
  }
  return item;
}

function rate({ passed, tried }) {
  const shown = make("p", "", "rate");
  const bar = make("span", "", "bar");
  const part = make("i");
  part.style.width = `${(100 * passed) / tried}%`;
  bar.append(part);
  shown.append(bar, `${passed} of ${tried} passed · ${Math.round((100 * passed) / tried)} %`);
  return shown;
}

function kindOf(each) {
  if (each.passed) return "passed";
  return each.status === "failed" ? "failed" : "open";
}

function person(each) {
  const item = make("li", each.name, kindOf(each));
  item.title = each.name;
  const minutes = Math.floor((each.age_s ?? 0) / 60);
  const since = minutes < 100 ? `${minutes} min` : `${Math.round(minutes / 60)} h`;
  if (minutes >= 2 && !each.passed) item.append(make("small", `  ${since}`));
  return item;
}

function drawFailures() {
  byId("failing").hidden = !state.failures.length;
  byId("failures").replaceChildren(...state.failures.map((each) => {
    const item = make("li");
    const head = make("p");
    head.append(make("strong", each.count), ` × ${about.titles[each.exercise] ?? each.exercise}`);
    item.append(head, make("p", each.failing), make("code", each.message));
    return item;
  }));
}

function drawTimeline() {
  const all = state.timelines;
  byId("timelines").hidden = !all.length;
  if (!all.length) return;
  const fresh = all.find((each) => !known.has(each.id));
  for (const each of all) known.add(each.id);
  if (fresh || !all.some((each) => each.id === picked)) picked = (fresh ?? all[0]).id;
  const place = all.findIndex((each) => each.id === picked);
  byId("which").textContent = all.length > 1 ? `${place + 1} of ${all.length}` : "";
  const goesOn = "frame" in all[place];
  byId("play").hidden = goesOn;
  byId("moving").hidden = !goesOn;
  if (goesOn) drawGoing(all[place]);
  else drawOver(all[place]);
}

function drawOver({ id, name, run, title }) {
  unfollow();
  byId("timelines").className = "";
  byId("whose").textContent = `shared by ${name}, run at ${run}`;
  const picture = byId("picture");
  const source = `timeline/${id}/${isDark() ? "dark" : "light"}.svg`;
  if (picture.getAttribute("src") !== source) picture.src = source;
  picture.alt = `Timeline of ${title}, shared by ${name}`;
  byId("play").href = `timeline/${id}`;
  byId("play").title = "Play it, in a tab of its own";
}

function drawGoing({ id, name, run, title, frame, quiet }) {
  byId("timelines").className = quiet ? "quiet" : "going";
  byId("whose").textContent = quiet
    ? `shared by ${name}, broke off: nothing has come since ${quiet}`
    : `shared by ${name}, since ${run}`;
  if (followed?.id !== id) {
    const element = make("iframe");
    element.sandbox = "allow-scripts";
    element.inert = true; // its keys are not those of the board
    element.src = "follower";
    followed = { id, element, listens: false, asks: false, has: 0, wants: 0, height: FIRST_PX };
    byId("moving").replaceChildren(element);
    fit(); // what has no height is not drawn
  }
  followed.element.title = `Timeline of ${title}, shared by ${name}`;
  followed.wants = frame;
  hand(followed, null);
  fetchFrames(followed);
}

function unfollow() {
  followed = null;
  byId("moving").replaceChildren();
}

function hand({ element, listens }, frame) {
  const theme = isDark() ? "dark" : "light";
  if (listens) element.contentWindow.postMessage({ theme, frame }, "*", frame ? [frame] : []);
}

// One at a time, and always the latest; what cannot be had comes with the next news.
async function fetchFrames(mine) {
  if (mine.asks || !mine.listens) return;
  mine.asks = true;
  while (mine === followed && mine.has !== mine.wants) {
    mine.has = mine.wants;
    try {
      const answer = await fetch(`timeline/${mine.id}/frame`);
      const frame = answer.ok ? await answer.arrayBuffer() : null;
      if (mine === followed) hand(mine, frame);
    } catch { /* the connection says what is wrong */ }
  }
  mine.asks = false;
}

// From the frame: it listens, and is so high once it is known. Whatever else it says is nothing to us.
function hear({ source, data }) {
  if (!followed || source !== followed.element.contentWindow || !(data >= 0)) return;
  if (data) followed.height = Math.min(data, HIGHEST_PX);
  followed.listens = true;
  fit();
  fetchFrames(followed);
}

// As large as there is room, like the picture that takes its place when the run is over.
function fit() {
  if (!followed) return;
  const { element, height } = followed;
  const box = byId("moving");
  const large = document.querySelector("main").classList.contains("large");
  const wide = large ? WIDE_PX.large : WIDE_PX.small;
  const most = large ? (LARGE_PART * innerHeight) / height : Infinity;
  const scale = Math.min(box.clientWidth / wide, most);
  element.style.width = `${wide}px`;
  element.style.height = `${height}px`;
  element.style.left = `${(box.clientWidth - wide * scale) / 2}px`;
  element.style.transform = `scale(${scale})`;
  box.style.height = `${height * scale}px`;
}

function drawDesk() {
  if (!about.instructor) return;
  byId("joining").textContent = state.joining ? "Close joining" : "Open joining";
  byId("joining").dataset.action = state.joining ? "close" : "open";
  const chooser = byId("who");
  const names = state.learners.map((each) => `${each.id} ${each.name}`).join("\n");
  if (chooser.dataset.names === names) return;
  chooser.dataset.names = names;
  const chosen = chooser.value;
  chooser.replaceChildren(...state.learners.map((each) => {
    const option = make("option", each.name);
    option.value = each.id;
    option.selected = String(each.id) === chosen;
    return option;
  }));
}

// ---- keys and buttons ------------------------------------------------------------------------

function isDark() {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

function step(by) {
  if (!state?.timelines.length) return;
  const all = state.timelines;
  const place = all.findIndex((each) => each.id === picked);
  picked = all[(place + by + all.length) % all.length].id;
  drawTimeline();
}

const KEYS = {
  t: () => {
    const main = document.querySelector("main");
    main.classList.toggle("large", state?.timelines.length && !main.classList.contains("large"));
    fit();
  },
  d: () => {
    document.documentElement.dataset.theme = isDark() ? "light" : "dark";
    if (state) drawTimeline();
  },
  f: () => (document.fullscreenElement ? document.exitFullscreen()
    : document.documentElement.requestFullscreen()),
  i: () => about?.instructor && !byId("desk").open && byId("desk").showModal(),
  ArrowLeft: () => step(-1),
  ArrowRight: () => step(1),
};

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, select, dialog");
  if (typing || event.ctrlKey || event.metaKey || event.altKey || byId("board").hidden) return;
  KEYS[event.key]?.();
});

// What cannot be undone wants a second press.
const SURE = {
  remove: "Press again: removes them, and what they sent",
  reset: "Press again: forgets all learners and results",
  end: "Press again: stops the board",
};

async function act(button) {
  const { action } = button.dataset;
  if (SURE[action] && !button.dataset.sure) {
    const words = button.textContent;
    button.dataset.sure = "yes";
    button.textContent = SURE[action];
    setTimeout(() => {
      delete button.dataset.sure;
      button.textContent = words;
    }, SURE_MS);
    return;
  }
  const learner = action === "remove" ? Number(byId("who").value) : null;
  try {
    const answer = await fetch("instructor", {
      method: "POST",
      headers: {
        "Authorization": `Bearer ${pass.instructor}`,
        "Content-Type": "application/json",
      },
      body: JSON.stringify({ action, learner }),
    });
    byId("said").textContent = answer.ok ? "Done." : (await answer.json()).detail;
  } catch {
    byId("said").textContent = "The board cannot be reached: nothing was done.";
  }
}

for (const button of document.querySelectorAll("[data-action]")) {
  button.addEventListener("click", () => act(button));
}

byId("door").addEventListener("submit", (event) => {
  event.preventDefault();
  sessionStorage.setItem("pass", JSON.stringify({ code: byId("typed").value }));
  start();
});

function start() {
  readPass();
  if (pass) connect();
  else ask("");
}

addEventListener("message", hear);
addEventListener("resize", fit);
addEventListener("hashchange", start);
addEventListener("online", wake);
document.addEventListener("visibilitychange", wake);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => state && drawTimeline());
setInterval(look, 1000);
start();
