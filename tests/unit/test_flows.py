"""Which open connections go over into netfilter when Cilium's programs go: what Cilium and the node say of them, and
what is made of it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from steps.findings.flows import Ends, Flow, Known, Masquerading, going_over, known_from, masqueraded
from steps.running import StepError

POD, OTHER, OWN, PEER, OUT = "10.244.1.2", "10.244.2.7", "172.18.0.3", "172.18.0.2", "93.184.216.34"
# The API, an API outside, which Cilium has given another port, its answers, UDP, and the same of IPv6.
NAT = """[
 {"Key": {"DestAddr": [172,18,0,2], "SourceAddr": [10,244,1,2], "DestPort": 36880, "SourcePort": 39069,
  "NextHeader": 6, "Flags": 0},
  "Value": {"Created": 71, "HostLocal": 0, "Pad1": 0, "Pad2": 0, "Addr": [172,18,0,3], "Port": 39069}},
 {"Key": {"DestAddr": [93,184,216,34], "SourceAddr": [10,244,1,2], "DestPort": 47873, "SourcePort": 39069,
  "NextHeader": 6, "Flags": 0},
  "Value": {"Created": 72, "HostLocal": 0, "Pad1": 0, "Pad2": 0, "Addr": [172,18,0,3], "Port": 63727}},
 {"Key": {"DestAddr": [172,18,0,3], "SourceAddr": [93,184,216,34], "DestPort": 63727, "SourcePort": 47873,
  "NextHeader": 6, "Flags": 1},
  "Value": {"Created": 72, "HostLocal": 0, "Pad1": 0, "Pad2": 0, "Addr": [10,244,1,2], "Port": 39069}},
 {"Key": {"DestAddr": [8,8,8,8], "SourceAddr": [10,244,1,2], "DestPort": 13568, "SourcePort": 39069,
  "NextHeader": 17, "Flags": 0},
  "Value": {"Created": 73, "HostLocal": 0, "Pad1": 0, "Pad2": 0, "Addr": [172,18,0,3], "Port": 39069}},
 {"Key": {"DestAddr": [32,1,13,184,0,0,0,0,0,0,0,0,0,0,0,1], "SourceAddr": [253,0,0,0,0,0,0,0,0,0,0,0,0,0,0,2],
  "DestPort": 47873, "SourcePort": 39069, "NextHeader": 6, "Flags": 0},
  "Value": {"Created": 74, "HostLocal": 0, "Pad1": 0, "Addr": [252,0,0,0,0,0,0,0,0,0,0,0,0,0,0,3], "Port": 39069}}
]"""


def tcp(source: tuple[str, int], target: tuple[str, int]) -> Ends:
    return Ends("tcp", source, target)


def test_what_cilium_masquerades_is_read_with_the_ports_that_the_peer_sees() -> None:
    assert masqueraded(NAT) == {
        tcp((POD, 40344), (PEER, 4240)): (OWN, 40344),
        tcp((POD, 40344), (OUT, 443)): (OWN, 61432),
        Ends("udp", (POD, 40344), ("8.8.8.8", 53)): (OWN, 40344),
    }, "a flow would go on by a port that its peer does not know, or an answer, or IPv6, be taken for one"
    assert masqueraded("[]") == masqueraded("null") == {}, "a node that masquerades nothing would never be moved"


@pytest.mark.parametrize(
    "text",
    ["", NAT[:-9], '{"Key": {}}', "[7]", NAT.replace("93", "930"), NAT.replace('"Flags"', '"Direction"')],
    ids=["nothing", "cut off", "no list", "no entry", "no address", "another form"],
)
def test_a_map_that_cannot_be_read_is_said_before_the_agent_goes(text: str) -> None:
    with pytest.raises(StepError, match="map of masqueraded connections cannot be read"):
        masqueraded(text)


def test_sockets_and_netfilter_s_entries_are_read_line_by_line() -> None:
    known = known_from(
        "open 10.244.1.2:40344 93.184.216.34:443 client\n"
        "open [::ffff:10.244.1.2]:8080 [::ffff:10.244.2.7]:50000 server\n"
        "open 10.244.1.2%eth0:40345 93.184.216.34:443 client\n"
        "open [fd00::2]:40346 [2001:db8::1]:443 client\n"
        "open [::1]:8080 [::1]:40000 server\n"
        "tracked tcp 10.244.1.2 10.96.0.1 40347 443 172.18.0.2 10.244.1.2 6443 40347\n"
    )
    assert known.opened == {
        tcp((POD, 40344), (OUT, 443)): False,
        tcp((POD, 8080), (OTHER, 50000)): True,
        tcp((POD, 40345), (OUT, 443)): False,
    }, "a connection of a socket of both families, or of one bound to eth0, would break; or IPv6 be looked up as IPv4"
    assert known.tracked == {tcp((POD, 40347), ("10.96.0.1", 443)): tcp((PEER, 6443), (POD, 40347))}, (
        "a connection that netfilter translates would be translated once more"
    )
    assert known_from("").opened == {}, "a node without connections would not be moved"


def test_a_link_local_connection_stops_no_move() -> None:
    said = known_from("open [fe80::2]%eth0:40344 [fe80::3]:443 client\n")
    assert said.opened == {}, "one Pod would stop the whole move"


@pytest.mark.parametrize(
    "line",
    [
        *("open 10.244.1.2:40344", "open 1.2.3.4:1 1.2.3.4:2", "open *:80 10.244.1.2:4 client"),
        *("open 10.244.1.2:http 10.244.2.7:4 client", "tracked tcp 10.244.1.2", "tracked tcp a b x y c d e f", "?"),
        *(
            "tracked 10.244.1.2 10.96.0.1 1 2 172.18.0.2 10.244.1.2 2 1",
            "tracked sctp 1.1.1.1 1.1.1.2 1 2 1.1.1.2 1.1.1.1 2 1",
        ),
    ],
)
def test_a_line_of_another_shape_is_no_connection_and_is_not_left_out(line: str) -> None:
    with pytest.raises(StepError, match="which is no "):
        known_from(f"open 10.244.1.2:40344 93.184.216.34:443 client\n{line}\n")


MINE = tcp((POD, 40344), (OUT, 443))
TO_NODE = tcp((POD, 40344), (PEER, 6443))
SERVED = tcp((POD, 8080), (OUT, 50000))
AT_HOME = tcp((POD, 40344), ("127.0.0.1", 8080))
BESIDES = tcp(("192.168.50.2", 40344), (OUT, 443))
INSIDE = tcp((POD, 40344), (OTHER, 8080))
ASKED = Ends("udp", (POD, 40344), ("8.8.8.8", 53))
Tracked = dict[Ends, Ends]


def back(ends: Ends) -> Ends:
    return Ends(ends.protocol, ends.target, ends.source)


def as_it_is(ends: Ends) -> Tracked:
    return {ends: back(ends)}


def rows(
    *opened: Ends,
    tracked: Tracked | None = None,
    seen: Sequence[Ends] = (),
    by_programs: bool = True,
    is_server: bool = False,
) -> Sequence[str]:
    known = Known(opened=dict.fromkeys(opened, is_server), tracked=tracked or {})
    before = Masquerading(masked=masqueraded(NAT) if by_programs else {}, seen=seen, by_rules=not by_programs)
    peers = [PEER, OWN, "172.18.0.4"]
    flows = going_over(known, before, pod_subnet="10.244.0.0/16", own=OWN, peers=peers)
    return [flow.row for flow in flows]


def test_a_row_is_what_the_script_reads() -> None:
    flow = Flow(ends=Ends("udp", (POD, 1), (OUT, 2)), seen_as=(OWN, 3))
    assert flow.row == f"{POD} 1 {OUT} 2 {OWN} 3 udp", "netfilter would be given a port for an address"


def test_a_connection_to_outside_goes_on_as_cilium_s_map_says() -> None:
    as_mapped = [f"{POD} 40344 {OUT} 443 {OWN} 61432 tcp"]
    assert rows(MINE) == as_mapped, "its peer would see another connection, and reset it"
    assert rows(MINE, tracked=as_it_is(MINE)) == as_mapped, "netfilter's own entry, without a translation, would stay"


def test_a_connection_that_was_opened_since_the_map_was_read_keeps_its_port() -> None:
    later = tcp((POD, 40999), (OUT, 443))
    as_own = [f"{POD} 40999 {OUT} 443 {OWN} 40999 tcp"]
    assert rows(later) == as_own, "its packets would leave with the Pod's address, and no answer would come"
    assert rows(later, tracked=as_it_is(later)) == as_own, "the same, of one that netfilter knows without a translation"


def test_what_was_open_when_the_map_was_read_and_is_not_in_it_was_not_masqueraded() -> None:
    local = tcp((POD, 40999), ("169.254.20.10", 53))
    assert rows(local, seen=[local], tracked=as_it_is(local)) == [], "NodeLocal DNS would be asked by another address"
    assert rows(local, seen=[local]) == [f"{POD} 40999 169.254.20.10 53 {POD} 40999 tcp"], "Flannel would masquerade it"


def test_what_a_client_from_outside_has_opened_is_answered_by_the_pod() -> None:
    assert rows(SERVED, is_server=True) == [f"{POD} 8080 {OUT} 50000 {POD} 8080 tcp"], (
        "it would be answered by the node"
    )
    assert rows(SERVED, is_server=True, tracked=as_it_is(SERVED)) == [], "the same, picked up midway"


def test_a_connection_to_a_node_s_own_address_goes_on_as_itself_unless_netfilter_knows_it() -> None:
    assert rows(TO_NODE) == [f"{POD} 40344 {PEER} 6443 {POD} 40344 tcp"], (
        "Flannel would masquerade it: the API resets it"
    )
    assert rows(TO_NODE, tracked=as_it_is(TO_NODE)) == [], "a connection that goes on by itself would be held up"
    masked = tcp((POD, 40344), (PEER, 4240))
    assert rows(masked, tracked=as_it_is(masked)) == [f"{POD} 40344 {PEER} 4240 {OWN} 40344 tcp"], (
        "where Cilium masquerades also what leads to nodes, the node would see another connection"
    )


@pytest.mark.parametrize("ends", [INSIDE, back(INSIDE), AT_HOME, back(AT_HOME), BESIDES])
def test_what_no_rule_masquerades_stays_as_it_is(ends: Ends) -> None:
    assert rows(ends) == [], "one between Pods, inside of one, or by its second network would be given the node's"


def test_what_netfilter_translates_already_stays_with_it() -> None:
    to_service = tcp((POD, 40344), ("10.96.0.1", 443))
    assert rows(to_service, tracked={to_service: tcp((PEER, 6443), (POD, 40344))}) == [], (
        "its Service would be forgotten"
    )
    assert rows(MINE, tracked={MINE: tcp(MINE.target, (OWN, 2048))}) == [], (
        "one from before Cilium would be given a new port"
    )
    assert rows(MINE, tracked={MINE: tcp(MINE.target, (OWN, 2048))}, by_programs=False) == [], "the same"


def test_what_the_peer_has_opened_stays_as_netfilter_knows_it() -> None:
    _, pod, client = SERVED
    assert rows(SERVED, tracked=as_it_is(back(SERVED))) == [], "its client would be answered by the node"
    port = {tcp(client, (OWN, 30080)): tcp(pod, client)}
    assert rows(SERVED, tracked=port) == [], "a client of a node port would be answered by another port"


def test_where_cilium_masquerades_by_rules_what_is_open_to_outside_stays_with_them() -> None:
    other = tcp((POD, 40999), (OUT, 443))
    assert rows(other, tracked=as_it_is(other), by_programs=False) == [], (
        "what no rule masquerades would be, by a guess"
    )
    assert rows(other, tracked={other: tcp(other.target, (OWN, 40999))}, by_programs=False) == [], (
        "its rule's port would be lost"
    )
    assert rows(other, by_programs=False) == [], "it would be let go as the Pod's own, which no peer outside answers"


def test_datagrams_to_outside_go_on_as_cilium_masqueraded_them() -> None:
    said = known_from("tracked udp 10.244.1.2 8.8.8.8 40344 53 8.8.8.8 10.244.1.2 53 40344\n")
    assert said.opened == {ASKED: False}, "whoever sends datagrams has no connection that a socket could tell"
    as_own = [f"{POD} 40344 8.8.8.8 53 {OWN} 40344 udp"]
    assert rows(ASKED, tracked=as_it_is(ASKED)) == as_own, "they would leave with the Pod's address for ever"
    assert rows(ASKED, tracked=as_it_is(ASKED), seen=[ASKED]) == as_own, "the map's own word would be passed over"
    unmapped = Ends("udp", (POD, 40999), ("8.8.8.8", 53))
    assert rows(unmapped, tracked=as_it_is(unmapped), seen=[unmapped]) == [], "what was not masqueraded would be"
    of_tcp = tcp(ASKED.source, ASKED.target)
    assert rows(of_tcp, tracked=as_it_is(of_tcp), seen=[of_tcp]) == [], "one protocol's port would be another's"
    group = Ends("udp", (POD, 40344), ("224.0.0.251", 5353))
    assert rows(group, tracked=as_it_is(group)) == [], "what is sent to a group would be given the node's address"
