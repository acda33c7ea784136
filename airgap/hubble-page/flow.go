package main

import (
	"encoding/json"
	"strings"
)

// event is a line of `hubble observe -o jsonpb`: what is used of cilium's api/v1/observer and api/v1/flow. Hubble's flows
// have no sizes, so nothing here has bytes.
type event struct {
	Flow *rawFlow `json:"flow"`
	Lost *struct {
		Number number `json:"num_events_lost"`
	} `json:"lost_events"`
}

type rawFlow struct {
	Time    string `json:"time"`
	Verdict string `json:"verdict"`
	IP      struct {
		Source      string `json:"source"`
		Destination string `json:"destination"`
	} `json:"IP"`
	// One of TCP, UDP, SCTP, ICMPv4, ICMPv6.
	L4                 map[string]rawL4 `json:"l4"`
	Source             rawEnd           `json:"source"`
	Destination        rawEnd           `json:"destination"`
	SourceNames        []string         `json:"source_names"`
	DestinationNames   []string         `json:"destination_names"`
	SourceService      Named            `json:"source_service"`
	DestinationService Named            `json:"destination_service"`
	Node               string           `json:"node_name"`
	Direction          string           `json:"traffic_direction"`
	Reply              bool             `json:"is_reply"`
	Reason             string           `json:"drop_reason_desc"`
	EventType          struct {
		Type int `json:"type"`
	} `json:"event_type"`
	L7 struct {
		DNS *DNS `json:"dns"`
	} `json:"l7"`
	IngressAllowedBy []Policy `json:"ingress_allowed_by"`
	EgressAllowedBy  []Policy `json:"egress_allowed_by"`
	IngressDeniedBy  []Policy `json:"ingress_denied_by"`
	EgressDeniedBy   []Policy `json:"egress_denied_by"`
}

type rawL4 struct {
	Source      int             `json:"source_port"`
	Destination int             `json:"destination_port"`
	Flags       map[string]bool `json:"flags"`
	Type        int             `json:"type"`
}

type rawEnd struct {
	Namespace string   `json:"namespace"`
	Pod       string   `json:"pod_name"`
	Labels    []string `json:"labels"`
	Workloads []struct {
		Name string `json:"name"`
	} `json:"workloads"`
}

// Named is an object of the cluster.
type Named struct {
	Name      string `json:"name"`
	Namespace string `json:"namespace,omitempty"`
}

// Policy is one that a verdict comes from.
type Policy struct {
	Kind string `json:"kind,omitempty"`
	Named
}

// DNS is a query or its answer. Cilium has names only where a policy with DNS rules sends them through its proxy;
// elsewhere a flow to port 53 has none.
type DNS struct {
	Query string   `json:"query,omitempty"`
	Types []string `json:"qtypes,omitempty"`
	IPs   []string `json:"ips,omitempty"`
	Code  int      `json:"rcode,omitempty"`
}

// End is one side of a flow. App is what the map shows: a workload, or a word such as world or host.
type End struct {
	App       string `json:"app"`
	Namespace string `json:"namespace,omitempty"`
	Pod       string `json:"pod,omitempty"`
	Address   string `json:"address"`
	Port      int    `json:"port,omitempty"`
	Service   string `json:"service,omitempty"`
}

// Flow is what the page gets.
type Flow struct {
	Time        string   `json:"time"`
	Verdict     string   `json:"verdict"`
	Event       string   `json:"event"`
	Protocol    string   `json:"protocol"`
	Flags       string   `json:"flags,omitempty"`
	Source      End      `json:"source"`
	Destination End      `json:"destination"`
	Direction   string   `json:"direction,omitempty"`
	Reply       bool     `json:"reply,omitempty"`
	Reason      string   `json:"reason,omitempty"`
	Policies    []Policy `json:"policies,omitempty"`
	DNS         *DNS     `json:"dns,omitempty"`
	Node        string   `json:"node,omitempty"`
}

// Of cilium's pkg/monitor/api: MessageTypeDrop and the like.
var events = map[int]string{1: "drop", 4: "trace", 5: "policy", 7: "socket", 129: "request"}

func (raw *rawFlow) short() Flow {
	flow := Flow{
		Time: raw.Time, Verdict: raw.Verdict, Event: events[raw.EventType.Type], Protocol: "?", Node: raw.Node,
		Source:      raw.Source.short(raw.IP.Source, raw.SourceNames, raw.SourceService),
		Destination: raw.Destination.short(raw.IP.Destination, raw.DestinationNames, raw.DestinationService),
		Direction:   strings.ToLower(raw.Direction), Reply: raw.Reply, DNS: raw.L7.DNS,
	}
	if raw.Verdict != "FORWARDED" && raw.Verdict != "REDIRECTED" {
		flow.Reason = strings.ToLower(strings.ReplaceAll(raw.Reason, "_", " "))
	}
	for protocol, l4 := range raw.L4 {
		flow.Protocol, flow.Source.Port, flow.Destination.Port = protocol, l4.Source, l4.Destination
		for _, flag := range []string{"SYN", "FIN", "RST", "PSH", "ACK"} {
			if l4.Flags[flag] {
				flow.Flags = strings.TrimSpace(flow.Flags + " " + flag)
			}
		}
	}
	for _, policies := range [][]Policy{raw.IngressDeniedBy, raw.EgressDeniedBy, raw.IngressAllowedBy, raw.EgressAllowedBy} {
		flow.Policies = append(flow.Policies, policies...)
	}
	// A query that is not seen inside is one all the same.
	client := flow.Source.Port == 53 || flow.Destination.Port == 53
	if flow.DNS == nil && client {
		flow.DNS = &DNS{}
	}
	return flow
}

func (raw *rawEnd) short(address string, names []string, service Named) End {
	end := End{Namespace: raw.Namespace, Pod: raw.Pod, Address: address, Service: service.Name}
	switch {
	case len(raw.Workloads) > 0:
		end.App = raw.Workloads[0].Name
	case raw.Pod != "":
		end.App = raw.Pod
	case len(names) > 0:
		end.App = names[0]
	default:
		end.App = reserved(raw.Labels, address)
	}
	return end
}

// reserved is the word that cilium has for what is no Pod, or the address where it has none.
func reserved(labels []string, address string) string {
	for _, label := range labels {
		if word, found := strings.CutPrefix(label, "reserved:"); found {
			return word
		}
	}
	return address
}

// number is a whole number that protobuf's JSON writes as text, as it does with those of 64 bits.
type number int

func (n *number) UnmarshalJSON(text []byte) error {
	var plain int
	if err := json.Unmarshal([]byte(strings.Trim(string(text), `"`)), &plain); err != nil {
		return err
	}
	*n = number(plain)
	return nil
}
