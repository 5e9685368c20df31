package storetest

import (
	"errors"
	"testing"

	"github.com/weerklank/weerklank/bot"
)

// What a member takes back is gone with its history, unless it may not; others stay, and its key is never used again.
func proposals(t *testing.T, h Harness) {
	ctx := t.Context()
	for serial := range 2 {
		must(t, h.Store.UpdateOwn(ctx, func(all *bot.Own) (bot.Also, error) {
			for _, id := range []string{"a", "ab"} {
				key, e := own(id, serial+1, "")
				all.Entries[key], all.Used[key] = e, bot.OriginOwn
			}
			return bot.Also{}, nil
		}))
	}
	a, _ := own("a", 1, "")
	ab, _ := own("ab", 1, "")
	stamp, err := h.Store.LibraryStamp(ctx)
	must(t, err)
	if err := h.Store.EraseOwn(ctx, a, func(e bot.OwnEntry) error {
		if e.Serial != 2 {
			t.Errorf("%+v", e)
		}
		return bot.ErrDenied
	}); !errors.Is(err, bot.ErrDenied) {
		t.Error(err)
	}
	if past, err := h.Store.OwnHistory(ctx, a); err != nil || len(past) != 2 {
		t.Errorf("%d states, %v", len(past), err)
	}
	yes := func(bot.OwnEntry) error { return nil }
	must(t, h.Store.EraseOwn(ctx, a, yes))
	if err := h.Store.EraseOwn(ctx, a, yes); !errors.Is(err, bot.ErrNotFound) {
		t.Error(err)
	}
	all, err := h.Store.Own(ctx)
	must(t, err)
	if _, there := all.Entries[a]; there || all.Used[a] == "" || all.Stamp == stamp || all.Entries[ab].Serial != 2 {
		t.Errorf("%+v", all)
	}
	for key, want := range map[bot.EntryKey]int{a: 0, ab: 2} {
		if past, err := h.Store.OwnHistory(ctx, key); err != nil || len(past) != want {
			t.Errorf("%s: %d states, %v", key, len(past), err)
		}
	}
	must(t, h.Store.Erase(ctx))
}

// Who asked to be told is kept; an edit that fails leaves everything.
func watching(t *testing.T, h Harness) {
	ctx := t.Context()
	want := bot.Watcher{By: "test:e", Lang: "nl", On: true, At: start}
	must(t, h.Store.UpdateWatchers(ctx, func(all []bot.Watcher) ([]bot.Watcher, error) { return append(all, want), nil }))
	refused := errors.New("no")
	if err := h.Store.UpdateWatchers(ctx, func([]bot.Watcher) ([]bot.Watcher, error) { return nil, refused }); !errors.Is(err, refused) {
		t.Error(err)
	}
	if all, err := h.Store.Watchers(ctx); err != nil || len(all) != 1 || all[0].By != want.By || !all[0].At.Equal(want.At) || !all[0].On {
		t.Errorf("%+v %v", all, err)
	}
}
