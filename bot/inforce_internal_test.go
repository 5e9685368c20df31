package bot

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/weerklank/weerklank/prompts"
)

// The lexicon follows the tensions in force: the old one answers until the new one is made, away from whoever asks.
func TestTheLexiconFollowsTheLibrary(t *testing.T) {
	lib := *builtin(t)
	stamp, broken := "1", false
	b := &Bot{o: Options{Library: lib}}
	b.inForce.stamp = func(context.Context) (string, error) {
		if broken {
			return "", errors.New("out of order")
		}
		return stamp, nil
	}
	b.inForce.read = func(context.Context) (prompts.Library, error) { return lib, nil }
	ctx := t.Context()
	first := b.scorer(ctx)
	if first.Name() != NewLexicon(lib).Name() {
		t.Fatal(first.Name())
	}
	lib.Prompts = lib.Prompts[:10] // the organisation's own prompts make no other lexicon
	stamp = "2"
	if b.scorer(ctx) != first {
		t.Error("another lexicon for another prompt")
	}
	lib.Tensions = slices.Clone(lib.Tensions)
	lib.Tensions[0].Retired = true
	lib.Tensions[1].Label = prompts.Text{prompts.Dutch: "Anders"} // what it is called is no word of it
	stamp = "3"
	if b.scorer(ctx) != first {
		t.Error("somebody waited for a new lexicon")
	}
	b.behind.Wait()
	second := b.scorer(ctx)
	if second == first || second.Name() != NewLexicon(prompts.Library{Tensions: lib.Tensions[1:]}).Name() {
		t.Errorf("%s after %s", second.Name(), first.Name())
	}
	found, err := second.Score(ctx, "Volgens het protocol moest ik wachten op het stadhuis.", prompts.Dutch)
	if err != nil || len(found) != len(lib.Tensions)-1 {
		t.Errorf("%v %v", found, err)
	}
	broken = true // a store that does not answer keeps the one there is
	if b.scorer(ctx) != second {
		t.Error("a store out of order changed the lexicon")
	}
}

// Whoever asks while the library changes gets a whole one, and afterwards everybody gets the newest.
func TestTheLibraryInForceChangesUnderReaders(t *testing.T) {
	var mu sync.Mutex
	n := 0
	f := inForce{
		stamp: func(context.Context) (string, error) {
			mu.Lock()
			defer mu.Unlock()
			return string(rune('a' + n)), nil
		},
		read: func(context.Context) (prompts.Library, error) {
			mu.Lock()
			defer mu.Unlock()
			return prompts.Library{Version: string(rune('a' + n))}, nil
		},
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 200 {
				if now, err := f.get(t.Context()); err != nil || now.lib.Version < now.stamp {
					t.Errorf("%q under stamp %q: %v", now.lib.Version, now.stamp, err)
				}
			}
		})
	}
	for range 20 {
		mu.Lock()
		n++
		mu.Unlock()
	}
	wg.Wait()
	if now, err := f.get(t.Context()); err != nil || now.lib.Version != string(rune('a'+n)) {
		t.Errorf("%v %v", now, err)
	}
}
