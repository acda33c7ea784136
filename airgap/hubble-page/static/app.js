// The page: the feed, the filters, and when what is drawn. Everything it shows comes from /api/flows.
import { drawMap } from "./map.js";
import { drawDns, drawDrops, drawFlows } from "./tables.js";
import { fill, matcher, read, restore, save } from "./filters.js";

const KEPT = 3000; // flows in memory; older ones go
const AGAIN = 3000; // ms until a server that answered with an error is asked again
const PACE = 500; // ms between two drawings, at least

const form = document.querySelector("#filters");
const status = document.querySelector("#status");
const pause = document.querySelector("#pause");
let flows = [];
const counts = { seen: 0, skipped: 0, lost: 0, unread: 0 };
let drawn = 0;
let due = 0;

function say(state, text) {
  status.dataset.state = state;
  status.textContent = text;
}

function counted() {
  const parts = [`${counts.seen} flow events`];
  if (counts.skipped) parts.push(`${counts.skipped} more not shown (too many at once)`);
  if (counts.lost) parts.push(`${counts.lost} lost by Hubble`);
  if (counts.unread) parts.push(`${counts.unread} not understood`);
  return `live: ${parts.join(", ")}`;
}

function draw() {
  due = 0;
  drawn = Date.now();
  const chosen = flows.filter(matcher(read(form)));
  drawMap(document.querySelector("#map"), chosen, (app) => {
    form.elements.text.value = form.elements.text.value === app ? "" : app;
    changed();
  });
  drawDrops(document.querySelector("#drops"), chosen);
  drawDns(document.querySelector("#dns"), chosen);
  drawFlows(document.querySelector("#flows"), chosen);
}

function soon() {
  const paused = pause.getAttribute("aria-pressed") === "true";
  if (!due && !paused) due = setTimeout(draw, Math.max(0, drawn + PACE - Date.now()));
}

function changed() {
  save(form);
  clearTimeout(due);
  draw();
}

form.addEventListener("input", changed);
form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("reset", () => setTimeout(changed));
pause.addEventListener("click", () => {
  const paused = pause.getAttribute("aria-pressed") !== "true";
  pause.setAttribute("aria-pressed", String(paused));
  pause.textContent = paused ? "Go on" : "Pause";
  clearTimeout(due);
  due = 0;
  soon();
});

function listen() {
  const feed = new EventSource("api/flows");
  feed.addEventListener("flows", (event) => {
    const parcel = JSON.parse(event.data);
    flows = flows.concat(parcel.flows).slice(-KEPT);
    counts.seen += parcel.flows.length;
    for (const name of ["skipped", "lost", "unread"]) counts[name] += parcel[name] ?? 0;
    fill(form, parcel.flows);
    say("live", counted());
    soon();
  });
  feed.addEventListener("beat", () => say("live", counted()));
  feed.addEventListener("trouble", (event) => say("trouble", `no flows from the relay: ${JSON.parse(event.data).why}`));
  feed.addEventListener("error", () => {
    say("trouble", "no flows from the page’s own server; it is asked again. At most six pages may be open");
    // A browser asks again by itself where the line is cut, not where the answer is an error.
    if (feed.readyState === EventSource.CLOSED) setTimeout(listen, AGAIN);
  });
}

listen();

restore(form);
draw();
