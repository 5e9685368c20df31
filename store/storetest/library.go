package storetest

import (
	"errors"
	"slices"
	"strconv"
	"sync"
	"testing"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/prompts"
)

// own makes an own prompt in one of its states.
func own(id string, serial int, by bot.ActorID) (bot.EntryKey, bot.OwnEntry) {
	p := prompts.Prompt{ID: prompts.ID(id), Revision: serial, Words: map[prompts.Lang]prompts.Words{prompts.Dutch: {Title: "state " + strconv.Itoa(serial)}}}
	return bot.EntryKey{Kind: bot.EntryPrompt, ID: id}, bot.OwnEntry{Now: bot.Content{Prompt: &p}, Serial: serial, Last: bot.Act{At: start, By: by, What: "change"}}
}

// What the organisation made of the library is kept whole, with every state it had; the stamp changes with every change
// and never comes back; what an edit refuses leaves nothing.
func library(t *testing.T, h Harness) {
	ctx := t.Context()
	var stamps []string
	changes := func(changes bool) { // says whether the stamp is new
		t.Helper()
		stamp, err := h.Store.LibraryStamp(ctx)
		must(t, err)
		if n := len(stamps); n > 0 && (stamps[n-1] != stamp) != changes || changes && slices.Contains(stamps, stamp) {
			t.Errorf("stamp %q after %q", stamp, stamps)
		}
		stamps = append(stamps, stamp)
		if all, err := h.Store.Own(ctx); err != nil || all.Stamp != stamp {
			t.Errorf("stamp %q, of the whole %q (%v)", stamp, all.Stamp, err)
		}
	}
	put := func(id string, serial int) {
		t.Helper()
		must(t, h.Store.UpdateOwn(ctx, func(all *bot.Own) (bot.Also, error) {
			key, e := own(id, serial, "test:e")
			all.Entries[key], all.Used[key] = e, bot.OriginOwn
			return bot.Also{Audit: []bot.AuditEntry{{At: start, By: "test:e", What: "library"}}}, nil
		}))
	}
	changes(true)
	for serial := range 3 {
		put("b", serial+1)
		changes(true)
	}
	put("a", 1)
	changes(true)
	put("a", 1)
	changes(false)
	value := bot.EntryKey{Kind: bot.EntryValue, ID: "a"} // another kind has IDs of its own
	base := bot.Content{Value: &prompts.Value{ID: "a", Name: prompts.Text{prompts.Dutch: "zorg"}}}
	must(t, h.Store.UpdateOwn(ctx, func(all *bot.Own) (bot.Also, error) {
		now := bot.Content{Value: &prompts.Value{ID: "a", Name: prompts.Text{prompts.Dutch: "aandacht"}}}
		all.Entries[value] = bot.OwnEntry{Now: now, Base: &base, Serial: 1, Last: bot.Act{What: "change"}}
		all.Files = bot.LastGood{Hash: "h", TOML: "schema = 1\n"}
		return bot.Also{}, nil
	}))
	changes(true)
	boom := errors.New("boom")
	if err := h.Store.UpdateOwn(ctx, func(all *bot.Own) (bot.Also, error) {
		key, e := own("c", 1, "")
		all.Entries[key], all.Used[key], all.Files = e, bot.OriginOwn, bot.LastGood{}
		all.Entries[value].Now.Value.Name[prompts.Dutch] = "geld"
		return bot.Also{}, boom
	}); !errors.Is(err, boom) {
		t.Error(err)
	}
	if err := h.Store.UpdateOwn(ctx, func(all *bot.Own) (bot.Also, error) { delete(all.Entries, value); return bot.Also{}, nil }); !errors.Is(err, bot.ErrConflict) {
		t.Errorf("an entry was taken out: %v", err)
	}
	changes(false)
	s := h.Store
	if h.Reopen != nil {
		s = h.Reopen()
	}
	all, err := s.Own(ctx)
	must(t, err)
	keyA, _ := own("a", 1, "")
	keyB, _ := own("b", 1, "")
	if len(all.Entries) != 3 || all.Entries[keyB].Serial != 3 || all.Entries[keyB].Now.Prompt.In(prompts.Dutch).Title != "state 3" || len(all.Used) != 2 ||
		all.Used[keyA] != bot.OriginOwn || all.Files.Hash != "h" || all.Entries[value].Now.Value.Name[prompts.Dutch] != "aandacht" {
		t.Errorf("%+v", all)
	}
	history, err := s.OwnHistory(ctx, keyB)
	must(t, err)
	if len(history) != 3 || history[0].Prompt.Revision != 1 || history[2].Prompt.Revision != 3 || history[0].By != "test:e" || !history[0].At.Equal(start) {
		t.Errorf("history %+v", history)
	}
	history, err = s.OwnHistory(ctx, value)
	must(t, err)
	if len(history) != 2 || history[0].What != "built-in" || history[0].Value.Name[prompts.Dutch] != "zorg" || history[1].Value.Name[prompts.Dutch] != "aandacht" {
		t.Errorf("history of a changed built-in entry %+v", history)
	}
	if history, err := s.OwnHistory(ctx, bot.EntryKey{Kind: bot.EntryPrompt, ID: ""}); err != nil || len(history) != 0 {
		t.Errorf("history of nothing %+v, %v", history, err)
	}
	if entries, err := s.Audit(ctx); err != nil || len(entries) != 5 {
		t.Errorf("%d acts, %v", len(entries), err)
	}
	// Another base is part of the history, and what was only noted is not.
	newer := bot.Content{Value: &prompts.Value{ID: "a", Name: prompts.Text{prompts.Dutch: "zorgzaamheid"}}}
	must(t, s.UpdateOwn(ctx, func(all *bot.Own) (bot.Also, error) {
		e := all.Entries[value]
		e.Base, e.Serial, e.Last = &newer, 2, bot.Act{What: "settle"}
		all.Entries[value] = e
		b := all.Entries[keyB]
		b.Base = &bot.Content{Prompt: &prompts.Prompt{ID: "b"}}
		all.Entries[keyB] = b
		return bot.Also{}, nil
	}))
	history, err = s.OwnHistory(ctx, value)
	must(t, err)
	if len(history) != 4 || history[2].What != "built-in" || history[3].What != "settle" {
		t.Errorf("history after an update %+v", history)
	}
	if history, err := s.OwnHistory(ctx, keyB); err != nil || len(history) != 3 {
		t.Errorf("a base that was only noted: %d states, %v", len(history), err)
	}
}

// Two editors who change one entry from the same version: one of them hears of it, and both changes are in no doubt.
func editors(t *testing.T, h Harness) {
	var mu sync.Mutex
	won, lost := 0, 0
	stamp, err := h.Store.LibraryStamp(t.Context())
	must(t, err)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			err := h.Store.UpdateOwn(t.Context(), func(all *bot.Own) (bot.Also, error) {
				if all.Stamp != stamp {
					return bot.Also{}, bot.ErrConflict
				}
				key, e := own("a", i+1, "")
				all.Entries[key] = e
				return bot.Also{}, nil
			})
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				won++
			case errors.Is(err, bot.ErrConflict):
				lost++
			default:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	key, _ := own("a", 1, "")
	if history, err := h.Store.OwnHistory(t.Context(), key); err != nil || won != 1 || lost != 7 || len(history) != 1 {
		t.Errorf("%d won, %d lost, %d states (%v)", won, lost, len(history), err)
	}
}

// What editors did stays in the history; who they were goes with the audit log.
func editorsForgotten(t *testing.T, h Harness) {
	ctx := t.Context()
	for serial := range 2 {
		must(t, h.Store.UpdateOwn(ctx, func(all *bot.Own) (bot.Also, error) {
			key, e := own("a", serial+1, "test:e")
			e.Last.At, e.Writers = start.AddDate(0, 0, serial), []bot.ActorID{"test:e"}
			all.Entries[key] = e
			return bot.Also{}, nil
		}))
	}
	key, _ := own("a", 1, "")
	must(t, h.Store.ForgetAudit(ctx, start.AddDate(0, 0, 1)))
	history, err := h.Store.OwnHistory(ctx, key)
	must(t, err)
	if len(history) != 2 || history[0].By != "" || history[0].Prompt.Revision != 1 || history[1].By != "test:e" {
		t.Errorf("%+v", history)
	}
	must(t, h.Store.ForgetAudit(ctx, start.AddDate(0, 0, 2)))
	must(t, h.Store.Erase(ctx))
	all, err := h.Store.Own(ctx)
	must(t, err)
	if e := all.Entries[key]; e.Last.By != "" || len(e.Writers) != 0 || e.Now.Prompt.Revision != 2 {
		t.Errorf("%+v", e)
	}
}
