package bot

import (
	"context"
	"slices"
	"sync"

	"github.com/weerklank/weerklank/prompts"
)

// The library in force is put together in one place and kept at hand: what people type costs no reading of it. A round keeps the
// tensions that it was opened with, so that an edit never reaches the people who are answering.

// inForce is the library in force. It is read anew only when its stamp has changed.
type inForce struct {
	stamp func(context.Context) (string, error)
	read  func(context.Context) (prompts.Library, error)

	mu  sync.Mutex
	now *edition
}

// edition is a library that is or was in force.
type edition struct {
	stamp string
	lib   prompts.Library
	cues  string // what a lexicon of it would be called
}

func (f *inForce) get(ctx context.Context) (*edition, error) {
	stamp, err := f.stamp(ctx)
	if err != nil {
		return nil, err
	}
	f.mu.Lock()
	now := f.now
	f.mu.Unlock()
	if now != nil && now.stamp == stamp {
		return now, nil
	}
	lib, err := f.read(ctx) // after its stamp: what changes in between is read once more
	if err != nil {
		return nil, err
	}
	now = &edition{stamp: stamp, lib: lib, cues: lexiconOf(active(lib.Tensions))}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now = now
	return now, nil
}

// library is the library in force: the built-in one with the organisation's own entries added or in the place of built-in ones.
// Its lists are shared and stay as they are.
func (b *Bot) library(ctx context.Context) (prompts.Library, error) {
	now, err := b.inForce.get(ctx)
	if err != nil {
		return b.o.Library, err
	}
	return now.lib, nil
}

// readLibrary puts the library in force together.
func (b *Bot) readLibrary(ctx context.Context) (prompts.Library, error) {
	l, err := b.layers(ctx)
	if err != nil {
		return b.o.Library, err
	}
	return l.library(false), nil
}

// active are the tensions that are not retired.
func active(all []prompts.Tension) []prompts.Tension {
	return slices.DeleteFunc(slices.Clone(all), func(t prompts.Tension) bool { return t.Retired })
}

// lexicons holds the built-in scorer of the tensions in force. One that is out of date answers until the next is made.
type lexicons struct {
	mu     sync.Mutex
	now    *Lexicon
	making bool
}

// scorer is what guesses: the operator's choice, or the lexicon of the tensions that are not retired. Its background stays the
// built-in library: the organisation's own prompts would change every guess with every edit.
func (b *Bot) scorer(ctx context.Context) Scorer {
	if b.o.Scorer != nil {
		return b.o.Scorer
	}
	now, err := b.inForce.get(ctx)
	if err != nil { // nobody waits for a guess
		now = &edition{lib: b.o.Library, cues: lexiconOf(active(b.o.Library.Tensions))}
	}
	x := &b.lexicons
	x.mu.Lock()
	defer x.mu.Unlock()
	made := func() *Lexicon {
		return NewLexicon(prompts.Library{Prompts: b.o.Library.Prompts, Tensions: active(now.lib.Tensions)})
	}
	switch {
	case x.now == nil: // made when somebody first does not know
		x.now = made()
	case x.now.name != now.cues && !x.making && err == nil:
		x.making = true
		b.behind.Go(func() {
			next := made()
			x.mu.Lock()
			defer x.mu.Unlock()
			x.now, x.making = next, false
		})
	}
	return x.now
}

// Offer is a tension as it could be chosen in a round: as it was called, and what it meant.
type Offer struct {
	ID    prompts.TensionID `json:"id"`
	Label prompts.Text      `json:"label"`
	Sense string            `json:"sense"`
}

func offersOf(tensions []prompts.Tension) []Offer {
	out := make([]Offer, len(tensions))
	for i, t := range tensions {
		out[i] = Offer{t.ID, t.Label, t.Sense()}
	}
	return out
}

// offered are the tensions that may be chosen in a round: those it was opened with. A round from before they were kept has those
// that would be offered now.
func (r Round) offered(lib *prompts.Library) []Offer {
	if r.Offers != nil || r.Kind != RoundQuestion {
		return r.Offers
	}
	return offersOf(lib.Offered(r.Prompt.Tensions...))
}

// named are the tensions that a round's replies may name, as they were called there.
func (r Round) named(lib *prompts.Library) []Offer {
	if r.Offers != nil {
		return r.Offers
	}
	out := make([]Offer, len(lib.Tensions))
	for i, t := range lib.Tensions { // without their senses, which take a while
		out[i] = Offer{ID: t.ID, Label: t.Label}
	}
	return out
}

// order is a tension's place in the one fixed order of a round; -1 if it was not offered.
func (r Round) order(id prompts.TensionID) int {
	return slices.IndexFunc(r.Offers, func(o Offer) bool { return o.ID == id })
}

// sensesOf are the senses of what was offered.
func sensesOf(offers []Offer) map[prompts.TensionID]string {
	out := make(map[prompts.TensionID]string, len(offers))
	for _, o := range offers {
		out[o.ID] = o.Sense
	}
	return out
}
