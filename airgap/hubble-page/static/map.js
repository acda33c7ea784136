// Who talks to whom: three columns, those that only ask, those that do both, those that only answer.
const MOST = 40;
const WIDTH = 210;
const HEIGHT = 34;
const GAP = 12;
const BETWEEN = 190;
const SPACE = "http://www.w3.org/2000/svg";

const name = (end) => `${end.namespace ?? ""}/${end.app}`;

function graph(flows) {
  const nodes = new Map();
  const edges = new Map();
  for (const flow of flows) {
    const [from, to] = flow.reply ? [flow.destination, flow.source] : [flow.source, flow.destination];
    for (const end of [from, to]) {
      const node = nodes.get(name(end)) ?? { id: name(end), app: end.app, namespace: end.namespace ?? "", asks: 0, answers: 0 };
      nodes.set(node.id, node);
    }
    nodes.get(name(from)).asks += 1;
    nodes.get(name(to)).answers += 1;
    const id = `${name(from)} ${name(to)}`;
    const edge = edges.get(id) ?? { id, from: name(from), to: name(to), events: 0, dropped: 0, ports: new Set() };
    edge.events += 1;
    if (flow.verdict === "DROPPED") edge.dropped += 1;
    if (to.port) edge.ports.add(`${flow.protocol} ${to.port}`);
    else edge.ports.add(flow.protocol);
    edges.set(id, edge);
  }
  const kept = [...nodes.values()].sort((a, b) => b.asks + b.answers - a.asks - a.answers || (a.id < b.id ? -1 : 1)).slice(0, MOST);
  return { nodes: kept, edges: [...edges.values()], left: nodes.size - kept.length };
}

// The columns, each by namespace and name, so that a node stays where it is while flows come in.
function placed(nodes) {
  const columns = [[], [], []];
  for (const node of nodes) columns[node.answers === 0 ? 0 : node.asks === 0 ? 2 : 1].push(node);
  const filled = columns.filter((column) => column.length);
  const places = new Map();
  filled.forEach((column, number) => {
    column.sort((a, b) => (a.id < b.id ? -1 : 1));
    column.forEach((node, row) => places.set(node.id, { x: number * (WIDTH + BETWEEN) + 60, y: row * (HEIGHT + GAP) + 8, node }));
  });
  const rows = Math.max(1, ...filled.map((column) => column.length));
  return { places, width: Math.max(1, filled.length) * (WIDTH + BETWEEN) - BETWEEN + 120, height: rows * (HEIGHT + GAP) + 8 };
}

function element(kind, attributes, ...inside) {
  const made = document.createElementNS(SPACE, kind);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...inside);
  return made;
}

const short = (text) => (text.length > 28 ? `${text.slice(0, 27)}…` : text);

function line(edge, from, to) {
  const [y1, y2] = [from.y + HEIGHT / 2, to.y + HEIGHT / 2];
  const [x1, x2] = from.x <= to.x ? [from.x + WIDTH, to.x] : [from.x, to.x + WIDTH];
  // Inside one column, and to oneself, round the right side.
  const path = from.x === to.x
    ? `M${from.x + WIDTH} ${y1 - 4} C${from.x + WIDTH + 60} ${y1 - 4} ${from.x + WIDTH + 60} ${y2 + 4} ${from.x + WIDTH} ${y2 + 4}`
    : `M${x1} ${y1} C${(x1 + x2) / 2} ${y1} ${(x1 + x2) / 2} ${y2} ${x2} ${y2}`;
  const told = `${edge.from.replace(/^\//, "")} → ${edge.to.replace(/^\//, "")}: ${[...edge.ports].slice(0, 6).join(", ")}; ` +
    `${edge.events} events${edge.dropped ? `, ${edge.dropped} dropped` : ""}`;
  const drawn = element("path", { d: path, "stroke-width": 1 + Math.log10(edge.events) }, element("title", {}, told));
  if (edge.dropped) drawn.setAttribute("class", "bad");
  return drawn;
}

export function drawMap(section, flows, choose) {
  const { nodes, edges, left } = graph(flows);
  const { places, width, height } = placed(nodes);
  const drawing = section.querySelector("svg");
  drawing.setAttribute("width", width);
  drawing.setAttribute("height", height);
  const lines = edges.filter((edge) => places.has(edge.from) && places.has(edge.to))
    .sort((a, b) => a.dropped - b.dropped)
    .map((edge) => line(edge, places.get(edge.from), places.get(edge.to)));
  const boxes = [...places.values()].map(({ x, y, node }) => {
    const box = element("g", { class: "node", transform: `translate(${x} ${y})`, tabindex: 0, "data-app": node.app },
      element("rect", { width: WIDTH, height: HEIGHT, rx: 4 }),
      element("text", { x: 8, y: 15 }, short(node.app)),
      element("text", { x: 8, y: 28, class: "where" }, node.namespace || "outside the Pod network"),
      element("title", {}, node.id.replace(/^\//, "")));
    box.addEventListener("click", () => choose(node.app));
    box.addEventListener("keydown", (event) => event.key === "Enter" && choose(node.app));
    return box;
  });
  drawing.replaceChildren(...lines, ...boxes);
  section.querySelector("h2 small").textContent = nodes.length ? `${nodes.length} shown${left ? `, ${left} more left out` : ""}` : "none seen";
}
