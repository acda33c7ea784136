// What is shown. The filters are in the address after #, so that a reload or a bookmark keeps them.
const SYSTEM = new Set(["kube-system", "cni-migration"]);

export function read(form) {
  const given = new FormData(form);
  return {
    words: String(given.get("text")).toLowerCase().split(/\s+/).filter(Boolean),
    namespace: given.get("namespace"),
    verdict: given.get("verdict"),
    protocol: given.get("protocol"),
    port: String(given.get("port")).trim(),
    requests: given.has("requests"),
    users: given.has("users"),
  };
}

function texts(flow) {
  const ends = [flow.source, flow.destination].flatMap((end) => [end.app, end.namespace, end.pod, end.address, end.service]);
  const policies = (flow.policies ?? []).map((policy) => policy.name);
  return [...ends, ...policies, flow.reason, flow.event, flow.node, flow.dns?.query].filter(Boolean).join(" ").toLowerCase();
}

const system = (end) => SYSTEM.has(end.namespace) || !end.namespace;

export function matcher(asked) {
  return (flow) => {
    const ends = [flow.source, flow.destination];
    return (
      (!asked.namespace || ends.some((end) => end.namespace === asked.namespace)) &&
      (!asked.verdict || flow.verdict === asked.verdict) &&
      (!asked.protocol || flow.protocol === asked.protocol) &&
      (!asked.port || ends.some((end) => String(end.port ?? "") === asked.port)) &&
      (!asked.requests || !flow.reply) &&
      (!asked.users || !ends.every(system)) &&
      (!asked.words.length || asked.words.every((word) => texts(flow).includes(word)))
    );
  };
}

// Adds what was seen to the lists to choose from.
export function fill(form, flows) {
  for (const flow of flows) {
    add(form.elements.namespace, flow.source.namespace);
    add(form.elements.namespace, flow.destination.namespace);
    add(form.elements.verdict, flow.verdict);
    add(form.elements.protocol, flow.protocol);
  }
}

function add(select, value) {
  if (!value || [...select.options].some((option) => option.value === value)) return;
  const after = [...select.options].slice(1).find((option) => option.value > value) ?? null;
  select.add(new Option(value, value), after);
}

export function save(form) {
  const kept = new URLSearchParams([...new FormData(form)].filter(([, value]) => value));
  history.replaceState(null, "", kept.size ? `#${kept}` : location.pathname);
}

export function restore(form) {
  for (const [name, value] of new URLSearchParams(location.hash.slice(1))) {
    const field = form.elements[name];
    if (!field) continue;
    if (field.type === "checkbox") field.checked = true;
    else {
      if (field.tagName === "SELECT") add(field, value);
      field.value = value;
    }
  }
}
