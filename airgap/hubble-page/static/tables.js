// The three tables. Text is set as text and never as markup: names come from the cluster.
const ROWS = 250;

const time = (flow) => new Date(flow.time).toLocaleTimeString([], { hour12: false });
const who = (end) => [end.pod || end.app, end.namespace || (end.pod || end.app === end.address ? "" : end.address)];
const policies = (flow) => (flow.policies ?? []).map((policy) => [policy.namespace, policy.name].filter(Boolean).join("/")).join(", ");

function row(cells, dropped) {
  const line = document.createElement("tr");
  if (dropped) line.className = "dropped";
  for (const cell of cells) {
    const [text, below] = Array.isArray(cell) ? cell : [cell];
    const box = line.insertCell();
    box.textContent = text;
    if (below) box.append(Object.assign(document.createElement("small"), { textContent: below }));
  }
  return line;
}

function show(section, rows, told) {
  section.querySelector("h2 small").textContent = told;
  section.querySelector("tbody").replaceChildren(...rows);
}

// One entry a key, with the number of events and the last of them; the latest first.
function grouped(flows, key) {
  const groups = new Map();
  for (const flow of flows) {
    const name = JSON.stringify(key(flow));
    const events = (groups.get(name)?.events ?? 0) + 1;
    groups.delete(name);
    groups.set(name, { last: flow, events });
  }
  return [...groups.values()].reverse().slice(0, ROWS);
}

export function drawFlows(section, flows) {
  const rows = flows.slice(-ROWS).reverse().map((flow) => {
    const ports = [flow.source.port, flow.destination.port].filter(Boolean).join(" → ");
    const because = flow.reason ? [flow.reason, policies(flow)] : policies(flow);
    const seen = [flow.event, flow.reply ? "reply" : flow.direction?.replace("traffic_direction_", "")].filter(Boolean).join(", ");
    const name = flow.dns?.query ? `${flow.protocol} ${flow.dns.query}` : flow.protocol;
    const cells = [time(flow), flow.verdict, who(flow.source), who(flow.destination), name, ports, flow.flags ?? "", seen, because, flow.node ?? ""];
    return row(cells, flow.verdict === "DROPPED");
  });
  show(section, rows, `the last ${rows.length} of ${flows.length} events`);
}

export function drawDrops(section, flows) {
  const dropped = flows.filter((flow) => flow.verdict === "DROPPED");
  const named = new Map(dropped.filter((flow) => policies(flow)).map((flow) => [pair(flow), policies(flow)]));
  const rows = grouped(dropped, pair).map(({ last, events }) => {
    // The event of the drop itself names no policy, that of the verdict just before it does.
    const policy = named.get(pair(last)) ?? (last.reason === "policy denied" ? "none allows it" : "");
    const port = [last.protocol, last.destination.port].filter(Boolean).join(" ");
    return row([time(last), who(last.source), who(last.destination), port, last.reason ?? "", policy, events], true);
  });
  show(section, rows, rows.length ? `${dropped.length} events` : "none seen");
}

const pair = (flow) => JSON.stringify([who(flow.source), who(flow.destination), flow.protocol, flow.destination.port]);

export function drawDns(section, flows) {
  const asked = flows.filter((flow) => flow.dns);
  const rows = grouped(asked, (flow) => {
    const [client, server] = flow.reply || flow.source.port === 53 ? [flow.destination, flow.source] : [flow.source, flow.destination];
    return [who(client), who(server), flow.dns.query ?? ""];
  }).map(({ last, events }) => {
    const answer = last.reply || last.source.port === 53;
    const [client, server] = answer ? [last.destination, last.source] : [last.source, last.destination];
    const outcome = last.verdict === "DROPPED" ? "dropped" : answer ? last.dns.ips?.join(", ") || "answered" : "asked";
    const code = last.dns.rcode ? `code ${last.dns.rcode}` : outcome;
    return row([time(last), who(client), who(server), last.dns.query || "not seen", code, events], last.verdict === "DROPPED");
  });
  show(section, rows, rows.length ? `${asked.length} events` : "none seen");
}
