package bot_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/bot/chattest"
	"github.com/weerklank/weerklank/prompts"
)

// The kinds of traces that are looked for.
const (
	kAccount  = "account"  // of somebody who wrote something, in any form, hashed without a key too
	kName     = "name"     // the display name of such a person
	kMoment   = "moment"   // when somebody wrote
	kMessage  = "message"  // the platform's own number of a message or an event
	kAddress  = "address"  // where a ballot lies: the account, hashed under the round's key
	kKey      = "key"      // the round's ballot key
	kSealed   = "sealed"   // a sealed ballot, draft or withdrawn reply
	kPrivate  = "private"  // words that were never to be shown: drafts, withdrawn, replaced, counted only, for myself
	kShared   = "shared"   // words that their author shared
	kShelf    = "shelf"    // the key of the released replies
	kReply    = "reply"    // a released reply, sealed
	kReceipt  = "receipt"  // the hash of a receipt code
	kCode     = "code"     // a receipt code
	kRemoved  = "removed"  // the reply that its author takes away: sealed, or the hash of its code
	kRemoving = "removing" // the moment of that
	kNumber   = "number"   // how many ballots lie in the box
	kCounts   = "counts"   // the round's counts
)

// neverAnywhere is what no file, log or dump may hold at any moment.
var neverAnywhere = []string{kAccount, kName, kMoment, kMessage, kPrivate, kCode}

// goneAfterClosing is what no live file, key slot or new backup may hold once a round is closed and erased.
var goneAfterClosing = []string{kAddress, kKey, kSealed, kNumber}

// place is where is looked, in the order of the table's columns.
var placesLooked = []string{"store", "keys", "backup", "log", "sent"}

// sight is what was found at one moment, by place.
type sight struct {
	moment string
	found  map[string]map[string]bool
}

var codeShape = regexp.MustCompile(`\b[A-Z2-7]{4}(-[A-Z2-7]{4}){3}\b`)

// sought is all that is looked for of one round.
type sought struct {
	round                                      bot.RoundID
	accounts, names, messages, private, shared []string
	moments                                    []time.Time
	codes                                      []string
	removed                                    string // the code of the reply that its author takes away
	removedAt                                  time.Time
	slots                                      map[string][]byte
	sealed                                     map[string][]byte
	shelf                                      []bot.SealedReply
}

// exhibit is one round with every way to reply in it.
type exhibit struct {
	*world
	sought
	v      *witness
	round  bot.Round
	logs   *bytes.Buffer
	logMu  *sync.Mutex
	rows   []sight
	events int
}

// newExhibit opens a round in a team of ten who reply, and a manager who does not: a question, or the follow-up of one that
// six of them answered.
func newExhibit(t testing.TB, follow bool) *exhibit {
	x := &exhibit{logs: &bytes.Buffer{}, logMu: &sync.Mutex{}}
	x.world = newWorld(t, func(o *bot.Options) {
		o.Log = slog.New(slog.NewJSONHandler(lockedWriter{x.logMu, x.logs}, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	x.fake.Crew(crew, 1) // p1 manages, and writes nothing
	for i := range 10 {
		id, name := fmt.Sprintf("ACCOUNT-7F3A-%dQ", i), fmt.Sprintf("Vrouwke Roepnaam-%dZ", i)
		x.accounts, x.names = append(x.accounts, id), append(x.names, name)
		x.fake.Add(chattest.Person{ID: id, Name: name, Lang: prompts.Dutch, Zone: "Europe/Amsterdam", Channels: []bot.TeamID{crew}})
	}
	x.v = newWitness(x.world)
	x.v.bot(x.world)
	x.switchOn(crew, nil)
	x.step(x.team().NextOpens)
	x.round = x.openRound(crew)
	if follow {
		for i, id := range x.accounts[:6] {
			x.answer(id, x.round.ID, map[string][]string{"text": {fmt.Sprintf("op de vraag zelf %d", i)}, "share": {"share"}})
		}
		x.finish(x.round)
		x.v.sealed, x.v.shelf = map[string][]byte{}, nil
		x.round = x.followUp()
		later := x.round.Closes.Add(time.Hour) // as after an incident: closed first, then given back
		err := x.db.UpdateRound(context.Background(), x.round.ID, func(r *bot.Round, _ *bot.Team) (bot.Also, error) {
			r.GivesBack = later
			return bot.Also{}, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		x.v.bot(x.world) // it knows the moments as they are now
		x.round = x.followUp()
		x.editTeam(func(t *bot.Team) { t.SkipNext = true })
	}
	x.sought.round = x.round.ID
	return x
}

// from is an event of a person, at a moment of its own.
func (x *exhibit) from(i int) bot.From {
	f := x.fake.From(x.accounts[i], crew)
	x.events++
	f.Key = fmt.Sprintf("EVENT-KEY-%d-%d", x.events, i)
	f.At = x.round.Opens.Add(time.Duration(x.events)*4127*time.Second + 123_457*time.Microsecond)
	x.messages, x.moments = append(x.messages, f.Key), append(x.moments, f.At)
	return f
}

func (x *exhibit) send(e bot.Event) string {
	x.t.Helper()
	r, err := x.fake.Send(context.Background(), e)
	if err != nil {
		x.t.Fatal(err)
	}
	x.codes = append(x.codes, codeShape.FindAllString(plain(r), -1)...)
	if r.Form != nil {
		x.t.Fatalf("refused: %v", r.Errors)
	}
	return plain(r)
}

func (x *exhibit) form(i int, text, share string) string {
	return x.send(bot.FormSubmitted{From: x.from(i), Form: "reply", State: string(x.round.ID), Values: map[string][]string{
		"text": {text}, "share": {share}, "stance": {"counter"}, "tags": {"quality-speed"}}})
}

func (x *exhibit) typed(i int, text, message string, edited bool) {
	f := x.from(i)
	f.Team = ""
	x.messages = append(x.messages, message)
	x.send(bot.DirectReply{From: f, Text: bot.ReplyText(text), Message: message, Edited: edited})
}

func (x *exhibit) press(i int, do, arg string) string {
	f := x.from(i)
	f.Team = ""
	return x.send(bot.ActionPressed{From: f, Action: bot.Action{Do: do, Round: x.round.ID, Arg: arg}})
}

// reply has everyone answer, each in a way of their own. Six share, one is only counted.
func (x *exhibit) reply() {
	say := func(list *[]string, text string) string { *list = append(*list, text); return text }
	x.form(0, say(&x.private, "Vervangen woorden nul, WOORD-R0A."), "share")
	x.form(0, say(&x.shared, "Gedeelde woorden nul, WOORD-S0B."), "share")
	removed := x.form(1, say(&x.shared, "Gedeelde woorden een, WOORD-S1B."), "share")
	x.removed = codeShape.FindString(removed)
	x.form(2, say(&x.private, "Alleen geteld, WOORD-C2A."), "count")
	x.form(3, say(&x.private, "Straks ingetrokken, WOORD-W3A."), "share")
	x.send(bot.FormSubmitted{From: x.from(3), Form: "reply", State: string(x.round.ID), Action: "withdraw"})
	x.typed(4, say(&x.shared, "Getypt en gedeeld, WOORD-S4B."), "MESSAGE-ID-4A", false)
	x.press(4, "share", "share")
	x.press(4, "receipt", "")
	x.typed(5, say(&x.private, "Een kladje dat blijft liggen, WOORD-D5A."), "MESSAGE-ID-5A", false)
	x.form(6, say(&x.private, "Voor mezelf, WOORD-M6A."), "self")
	x.typed(7, say(&x.private, "Eerst getypt, WOORD-E7A."), "MESSAGE-ID-7A", false)
	x.press(7, "share", "share")
	x.typed(7, say(&x.shared, "Daarna verbeterd, WOORD-S7B."), "MESSAGE-ID-7A", true)
	x.send(bot.FormSubmitted{From: x.from(8), Form: "reply", State: string(x.round.ID), Values: map[string][]string{
		"text": {say(&x.shared, "Gedeelde woorden acht, WOORD-S8B.")}, "share": {"share"}, "tags": {"other"},
		"other": {say(&x.private, "iets heel anders WOORD-O8A")}}})
	x.form(9, say(&x.shared, "Gedeelde woorden negen, WOORD-S9B."), "share")
	if len(x.codes) < 5 || x.removed == "" {
		x.t.Fatalf("%d codes: the test does not see them", len(x.codes))
	}
}

// finder makes the search for all that exists or existed by now.
func (x *exhibit) finder() *finder {
	x.slots, x.sealed, x.shelf = x.v.slots, x.v.sealed, x.v.shelf
	return x.sought.finder(x.t)
}

func (x *sought) finder(t testing.TB) *finder {
	t.Helper()
	f := newFinder()
	for _, id := range x.accounts {
		a := account{platform: "fake", workspace: "w", user: id}
		f.text(kAccount, id)
		f.text(kAccount, a.key())
		f.bytes(kAccount, sum(id))
		f.bytes(kAccount, sum(a.key()))
		for name, slot := range x.slots {
			if strings.HasPrefix(name, string(x.round)) {
				for _, key := range keysIn(slot) {
					at := addressUnder(key, "fake", "w", id)
					f.bytes(kAddress, at)
					f.bytes(kAddress, sum(string(at)))
				}
			}
		}
	}
	for _, list := range []struct {
		kind  string
		words []string
	}{{kName, x.names}, {kMessage, x.messages}, {kPrivate, x.private}, {kShared, x.shared}, {kCode, x.codes}} {
		for _, w := range list.words {
			f.text(list.kind, w)
		}
	}
	for _, m := range x.messages { // marks inside sealed slips
		f.bytes(kMessage, sum(m)[:6])
	}
	moments := func(kind string, all ...time.Time) {
		for _, at := range all {
			amsterdam := at.In(zone(t, "Europe/Amsterdam"))
			for _, s := range []string{at.UTC().Format("2006-01-02T15:04:05"), amsterdam.Format("2006-01-02T15:04:05"), fmt.Sprint(at.UnixMilli()), fmt.Sprint(at.UnixMicro()), fmt.Sprint(at.UnixNano()), fmt.Sprint(at.Unix()) + "."} {
				f.raw(kind, []byte(s))
			}
			for _, n := range []int64{at.UnixMicro(), at.UnixNano()} {
				f.raw(kind, binary.BigEndian.AppendUint64(nil, uint64(n)))
				f.raw(kind, binary.LittleEndian.AppendUint64(nil, uint64(n)))
			}
		}
	}
	moments(kMoment, x.moments...)
	if !x.removedAt.IsZero() {
		moments(kRemoving, x.removedAt)
	}
	for name, slot := range x.slots {
		kind := kKey
		if strings.HasSuffix(name, ".removed") { // holds no key; what it holds is looked for as a receipt
			continue
		}
		if strings.HasSuffix(name, ".shelf") {
			kind = kShelf
		}
		if strings.HasPrefix(name, string(x.round)) {
			for _, key := range keysIn(slot) {
				f.bytes(kind, key)
			}
		}
	}
	for _, b := range x.sealed {
		for _, at := range []int{0, 100, len(b) / 2, len(b) - 24} {
			f.bytes(kSealed, b[at:at+24])
		}
	}
	removed := sum(strings.ReplaceAll(x.removed, "-", ""))
	for _, code := range x.codes {
		f.text(kCode, strings.ReplaceAll(code, "-", ""))
		h := sum(strings.ReplaceAll(code, "-", ""))
		if bytes.Equal(h, removed) {
			f.bytes(kRemoved, h)
		} else {
			f.bytes(kReceipt, h)
		}
	}
	for _, r := range x.shelf {
		kind := kReply
		if bytes.Equal(r.Receipt[:], removed) {
			kind = kRemoved
		}
		f.bytes(kind, r.Sealed[:24])
		f.bytes(kind, r.Sealed[len(r.Sealed)-24:])
		if kind == kReply {
			kind = kReceipt
		}
		f.bytes(kind, r.Receipt[:])
	}
	f.raw(kCounts, []byte(`"respondents":`))
	return f
}

// dense leaves out the pages of a file that hold nothing but zeros.
func dense(raw []byte) (parts [][]byte) {
	const page = 4096
	from := -1
	zeros := make([]byte, page)
	for at := 0; at < len(raw); at += page {
		empty := bytes.Equal(raw[at:min(at+page, len(raw))], zeros[:min(page, len(raw)-at)])
		switch {
		case empty && from >= 0:
			parts, from = append(parts, raw[from:at]), -1
		case !empty && from < 0:
			from = at
		}
	}
	if from >= 0 {
		parts = append(parts, raw[from:])
	}
	return parts
}

func readFile(t testing.TB, name string) []byte {
	t.Helper()
	raw, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func readFolder(t testing.TB, dir string) (all [][]byte) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		all = append(all, []byte(e.Name()), readFile(t, filepath.Join(dir, e.Name())))
	}
	return all
}

// backedUp makes a backup now and reads it, as whoever has its key can.
func (w *world) backedUp() []byte {
	w.t.Helper()
	dir := w.t.TempDir()
	root, err := os.OpenRoot(dir)
	if err != nil {
		w.t.Fatal(err)
	}
	defer root.Close()
	err = w.db.Backup(context.Background(), root, "b.db", func(out io.Writer) (io.WriteCloser, error) { return unsealed{out}, nil })
	if err != nil {
		w.t.Fatal(err)
	}
	return readFile(w.t, filepath.Join(dir, "b.db"))
}

// unsealed is a backup's encryption that does nothing.
type unsealed struct{ io.Writer }

func (unsealed) Close() error { return nil }

func (w *world) file() []byte {
	w.t.Helper()
	return readFile(w.t, filepath.Join(w.dir, "weerklank.db"))
}

// ballotsIn counts what lies in a round's box, as anyone with the file can.
func ballotsIn(raw []byte, round bot.RoundID) int {
	m, err := readImage(raw)
	if err != nil {
		return 0
	}
	return len(m.bucket("open", string(round), "ballots")) + len(m.bucket("open", string(round), "aside"))
}

// kinds names what is found in bytes; number says whether they are a store's.
func (x *exhibit) kinds(f *finder, round bot.RoundID, store bool, parts ...[]byte) map[string]bool {
	out := map[string]bool{}
	var searched [][]byte
	for _, p := range parts {
		searched = append(searched, dense(p)...)
		if store && ballotsIn(p, round) > 0 {
			out[kNumber] = true
		}
	}
	for kind := range f.search(searched...) {
		out[kind] = true
	}
	return out
}

// look searches every place now.
func (x *exhibit) look(moment string) {
	x.t.Helper()
	f := x.finder()
	x.logMu.Lock()
	logged := bytes.Clone(x.logs.Bytes())
	x.logMu.Unlock()
	sent, err := json.Marshal(struct {
		Posts []chattest.Posted
		Told  int
	}{x.fake.Posts(""), len(x.fake.Told())})
	if err != nil {
		x.t.Fatal(err)
	}
	s := sight{moment, map[string]map[string]bool{
		"store": x.kinds(f, x.round.ID, true, x.file()), "keys": x.kinds(f, x.round.ID, false, readFolder(x.t, filepath.Join(x.dir, "keys"))...),
		"backup": x.kinds(f, x.round.ID, true, x.backedUp()), "log": x.kinds(f, x.round.ID, false, logged), "sent": x.kinds(f, x.round.ID, false, sent),
	}}
	x.rows = append(x.rows, s)
}

// The round's story, and what stands where at each of its moments (TRUST A1-A5, A17, A28, A29, A35, A36, A38).
func forensic(t *testing.T, follow bool) (rows, left []sight) {
	x := newExhibit(t, follow)
	defer x.close()
	ctx := context.Background()
	x.reply()
	x.look("open")
	early := x.backedUp()

	// The file is replaced by a compacted one: the old file's blocks are what a second name or an undelete tool reads.
	link := filepath.Join(t.TempDir(), "old")
	if err := os.Link(filepath.Join(x.dir, "weerklank.db"), link); err != nil {
		t.Fatal(err)
	}
	if n := len(x.kinds(x.finder(), x.round.ID, true, readFile(t, link))); n == 0 {
		t.Error("the second name shows nothing before the file is replaced: the test looks in the wrong place")
	}
	if err := x.db.Compact(ctx); err != nil {
		t.Fatal(err)
	}
	left = append(left, sight{"replaced", map[string]map[string]bool{"blocks": x.kinds(x.finder(), x.round.ID, true, readFile(t, link))}})
	slot := filepath.Join(t.TempDir(), "slot")
	if err := os.Link(filepath.Join(x.dir, "keys", string(x.round.ID)+".ballot"), slot); err != nil {
		t.Fatal(err)
	}

	x.v.at = func(moment string) {
		switch moment {
		case "before release":
			x.look("unreleased")
		case "after release":
			x.look("released")
		case "after destroy ballot":
			x.look("keyless")
		}
	}
	x.step(x.round.Closes)
	x.v.at = func(string) {}
	x.look("closed")
	left = append(left, sight{"slot", map[string]map[string]bool{"blocks": x.kinds(x.finder(), x.round.ID, false, readFile(t, slot))}})
	late := x.backedUp()
	x.step(x.round.GivesBack)
	x.look("given")
	if x.removedAt = x.round.GivesBack.Add(7919 * time.Second); true {
		f := x.fake.From(x.accounts[1], "")
		f.At = x.removedAt
		if got := x.send(bot.DirectReply{From: f, Text: bot.ReplyText("verwijder " + x.removed), Message: "MESSAGE-ID-1R"}); !strings.Contains(got, "Weggehaald") {
			t.Fatal(got)
		}
		x.messages = append(x.messages, "MESSAGE-ID-1R")
	}
	x.step(x.removedAt.Add(time.Minute))
	x.look("taken")
	got, err := x.db.Round(ctx, x.round.ID)
	if err != nil || follow != (got.Tally == nil) || !follow && got.Tally.Respondents != 7 {
		t.Fatalf("%+v, %v", got.Tally, err)
	}
	x.step(got.Keep.Add(time.Hour))
	x.look("forgotten")
	x.editTeam(func(t *bot.Team) { t.State, t.NextDue, t.NextOpens = bot.TeamOff, time.Time{}, time.Time{} }) // its season goes on no more
	if follow {                                                                                               // what it belongs to has the counts
		got, err = x.db.Round(ctx, got.Of)
	}
	for got.Tally != nil && err == nil {
		if x.step(got.Wake().Add(time.Hour)); got.Wake().After(x.round.GivesBack.AddDate(3, 0, 0)) {
			t.Fatal("the counts are never forgotten")
		}
		got, err = x.db.Round(ctx, got.ID)
	}
	x.look("uncounted")
	f := x.finder()
	left = append(left, sight{"early", map[string]map[string]bool{"blocks": x.kinds(f, x.round.ID, true, early)}},
		sight{"late", map[string]map[string]bool{"blocks": x.kinds(f, x.round.ID, true, late)}})

	closed := false
	for _, s := range x.rows {
		closed = closed || s.moment == "closed"
		for place, kinds := range s.found {
			for kind := range kinds {
				switch {
				case slices.Contains(neverAnywhere, kind),
					closed && slices.Contains(goneAfterClosing, kind),
					kind == kShared && (place != "sent" || s.moment == "open"),
					s.moment == "forgotten" && (kind == kReply || kind == kReceipt || kind == kShelf),
					s.moment == "uncounted" && kind != kShared,
					s.moment == "taken" && kind == kRemoved && place != "keys", // there it may be noted, so that no backup brings it back
					s.moment == "forgotten" && kind == kRemoved,
					kind == kRemoving && (place != "store" || s.moment == "forgotten"), // freed pages keep it until the next wiping
					place == "backup" && (kind == kKey || kind == kShelf),
					place == "log", place == "keys" && !slices.Contains([]string{kKey, kShelf, kRemoved}, kind):
					t.Errorf("%s, %s: %s is found", s.moment, place, kind)
				}
			}
		}
	}
	for _, s := range left[:2] {
		if len(s.found["blocks"]) > 0 {
			t.Errorf("old blocks of %s: %v", s.moment, slices.Sorted(maps.Keys(s.found["blocks"])))
		}
	}
	for _, kind := range []string{kAddress, kSealed, kNumber} {
		if !x.rows[0].found["store"][kind] {
			t.Errorf("while open the store shows no %s: the test looks in the wrong place", kind)
		}
	}
	if !x.rows[0].found["keys"][kKey] {
		t.Error("while open there is no key: the test looks in the wrong place")
	}
	return x.rows, left
}
