package main

import (
	"encoding/json"
	"io"
	"slices"
	"sync"
)

// A page that shows more rows in half a second shows nothing to anybody; what is left out is counted. Each kind has room
// of its own: a cluster that asks for many names would leave out its drops.
const (
	mostOrdinary = 120
	mostDNS      = 120
	mostDrops    = 160
)

// Parcel is what a page gets at once. Skipped were left out here; Lost is what Hubble itself has lost.
type Parcel struct {
	Flows   []Flow `json:"flows"`
	Skipped int    `json:"skipped,omitempty"`
	Lost    int    `json:"lost,omitempty"`
	Unread  int    `json:"unread,omitempty"`
}

type parcel struct {
	mutex                sync.Mutex
	next                 Parcel
	drops, dns, ordinary int
}

// fill reads lines of `hubble observe -o jsonpb` until there are no more.
func (p *parcel) fill(in io.Reader) error {
	return lines(in, func(line []byte) {
		var event event
		err := json.Unmarshal(line, &event)
		p.mutex.Lock()
		defer p.mutex.Unlock()
		switch {
		case err != nil:
			p.next.Unread++ // the page says so: what cannot be read is not nothing
		case event.Lost != nil:
			p.next.Lost += int(event.Lost.Number)
		case event.Flow != nil:
			p.add(event.Flow.short())
		}
	})
}

// add keeps drops and DNS beside the rest: they are few, and what somebody looks for.
func (p *parcel) add(flow Flow) {
	kept, most := &p.ordinary, mostOrdinary
	switch {
	case slices.Contains([]string{"DROPPED", "ERROR", "AUDIT"}, flow.Verdict):
		kept, most = &p.drops, mostDrops
	case flow.DNS != nil:
		kept, most = &p.dns, mostDNS
	}
	if *kept >= most {
		p.next.Skipped++
		return
	}
	*kept++
	p.next.Flows = append(p.next.Flows, flow)
}

// take empties the parcel; nil where nothing is in it.
func (p *parcel) take() *Parcel {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	full := p.next
	if len(full.Flows)+full.Skipped+full.Lost+full.Unread == 0 {
		return nil
	}
	p.next, p.drops, p.dns, p.ordinary = Parcel{}, 0, 0, 0
	if full.Flows == nil {
		full.Flows = []Flow{}
	}
	return &full
}
