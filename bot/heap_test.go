package bot_test

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/prompts"
	"github.com/weerklank/weerklank/store"
)

// heapDir names the folder of a process that runs a bot for TestFound, so that its memory holds nothing of the test:
// accounts and words enter it only as events, through a pipe.
const heapDir = "WEERKLANK_HEAP_DIR"

// order is what the parent tells the child to do, and heard is what comes back.
type (
	order struct {
		Do, Person, Name, Text, Share, Message, Arg, File string
		At                                                time.Time
	}
	heard struct {
		Text  string
		Round bot.Round
		Err   string
	}
)

func writePart(w io.Writer, v any) error {
	raw, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = w.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(raw))), raw...))
	return err
}

func readPart(r io.Reader, v any) error {
	var n [4]byte
	if _, err := io.ReadFull(r, n[:]); err != nil {
		return err
	}
	raw := make([]byte, binary.BigEndian.Uint32(n[:]))
	defer clear(raw)
	if _, err := io.ReadFull(r, raw); err != nil {
		return err
	}
	return json.Unmarshal(raw, v)
}

// distant is a platform that keeps nothing: who is where is heard by the shape of an account.
type distant struct{}

func (*distant) Platform() string { return "fake" }
func (*distant) Forms() bool      { return true }
func (*distant) Post(context.Context, bot.TeamID, bot.Message, bot.Ref, string) (bot.Ref, error) {
	return "m", nil
}
func (*distant) Edit(context.Context, bot.TeamID, bot.Ref, bot.Message) error { return nil }
func (*distant) Direct(context.Context, bot.Recipient, bot.Message, string) error {
	return nil
}
func (*distant) Run(ctx context.Context, _ bot.Handler) error { <-ctx.Done(); return ctx.Err() }
func (*distant) Count(context.Context, bot.TeamID) (int, error) {
	return 11, nil
}
func (*distant) Channels(context.Context, bot.UserID) ([]bot.TeamID, error) {
	return []bot.TeamID{crew}, nil
}
func (*distant) Manages(_ context.Context, u bot.UserID, _ bot.TeamID) (bool, error) {
	return strings.HasPrefix(u.Reveal(), "manager"), nil
}

// The child of TestFound. Started by hand it does nothing.
func TestHeapChild(t *testing.T) {
	dir := os.Getenv(heapDir)
	if dir == "" {
		return
	}
	in, out := os.NewFile(3, "orders"), os.NewFile(4, "answers")
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := root.Mkdir("keys", 0o700); err != nil {
		t.Fatal(err)
	}
	keys, err := root.OpenRoot("keys")
	if err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(root, "weerklank.db", store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	lib, err := prompts.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	b, err := bot.New(bot.Options{
		Store: db, Keys: store.OpenKeys(keys), Chats: []bot.Chat{&distant{}}, Log: slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Library: lib, Team: defaults(), Activation: "direct", Limits: bot.Limits{MinReplies: 5, MinMembers: 6}, KeepDays: 90,
	})
	if err != nil {
		t.Fatal(err)
	}
	var kept []order // planted, to see that the search finds what is kept
	for obey(b, db, in, out, &kept) {
	}
	runtime.KeepAlive(kept)
	if err := db.Close(); err != nil {
		t.Error(err)
	}
}

// obey does one order; nothing of it outlives the call.
func obey(b *bot.Bot, db *store.DB, in io.Reader, out io.Writer, kept *[]order) bool {
	var o order
	if readPart(in, &o) != nil {
		return false
	}
	if o.Do == "keep" {
		*kept = append(*kept, o)
		return writePart(out, heard{}) == nil
	}
	answer, err := do(b, db, o)
	if err != nil {
		answer.Err = err.Error()
	}
	return writePart(out, answer) == nil
}

func do(b *bot.Bot, db *store.DB, o order) (heard, error) {
	ctx := context.Background()
	from := bot.From{Key: "event of " + o.Message, Name: o.Name, Lang: prompts.Dutch, Zone: "Europe/Amsterdam", At: o.At}
	if o.Person != "" {
		from.User = bot.Account("fake", "w", o.Person)
	}
	handle := func(e bot.Event) (heard, error) {
		r, err := b.Handle(ctx, e)
		if r.Form != nil {
			err = errors.Join(err, errors.New("a form came back"))
		}
		return heard{Text: plain(r)}, err
	}
	step := func(at time.Time) error {
		_, err := b.Step(ctx, at)
		if err == nil {
			_, err = b.Send(ctx, at)
		}
		return err
	}
	switch o.Do {
	case "on":
		from.Team, from.Chan = crew, "crew"
		r, err := b.Handle(ctx, bot.Command{From: from, Text: "aan"})
		if err != nil || r.Form == nil {
			return heard{}, errors.Join(err, errors.New("no form"))
		}
		values := map[string][]string{}
		for _, f := range r.Form.Fields {
			values[f.Name] = f.Value
		}
		values["adviser"], values["worktime"] = []string{"Sam de Wit (tst 12)"}, []string{"yes"}
		if _, err := b.Handle(ctx, bot.FormSubmitted{From: from, Form: r.Form.Name, State: r.Form.State, Values: values}); err != nil {
			return heard{}, err
		}
		t, err := db.Team(ctx, crew)
		if err == nil {
			err = step(t.NextOpens)
		}
		if err == nil {
			t, err = db.Team(ctx, crew)
		}
		if err != nil {
			return heard{}, err
		}
		round, err := db.Round(ctx, t.Open)
		return heard{Round: round}, err
	case "form":
		from.Team = crew
		return handle(bot.FormSubmitted{From: from, Form: "reply", State: o.Arg, Values: map[string][]string{"text": {o.Text}, "share": {o.Share}, "stance": {"counter"}}})
	case "type":
		return handle(bot.DirectReply{From: from, Text: bot.ReplyText(o.Text), Message: o.Message})
	case "share":
		return handle(bot.ActionPressed{From: from, Action: bot.Action{Do: "share", Round: bot.RoundID(o.Arg), Arg: o.Share}})
	case "step":
		err := step(o.At)
		if err != nil {
			return heard{}, err
		}
		round, err := db.Round(ctx, bot.RoundID(o.Arg))
		return heard{Round: round}, err
	case "dump":
		for range 4 { // what pools keep goes at the second time, what finalizers keep at the third
			runtime.GC()
		}
		f, err := os.Create(o.File)
		if err != nil {
			return heard{}, err
		}
		debug.WriteHeapDump(f.Fd())
		return heard{}, f.Close()
	}
	return heard{}, errors.New("unknown order")
}

// heap is what the memory of a bot holds at each moment, besides garbage: a dump of the live objects, stacks and globals.
func heap(t *testing.T) (rows []sight) {
	dir := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	inR, inW, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	outR, outW, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, "-test.run=^TestHeapChild$")
	cmd.Env = append(os.Environ(), heapDir+"="+dir)
	cmd.ExtraFiles = []*os.File{inR, outW}
	var said strings.Builder
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	inR.Close()
	outW.Close()
	defer func() {
		inW.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("%v\n%s", err, said.String())
		}
		outR.Close()
	}()
	tell := func(o order) heard {
		t.Helper()
		var answer heard
		err := writePart(inW, o)
		if err == nil {
			err = readPart(outR, &answer)
		}
		if err != nil || answer.Err != "" {
			t.Fatalf("%s: %v %s\n%s", o.Do, err, answer.Err, said.String())
		}
		return answer
	}
	r := tell(order{Do: "on", Person: "manager", Name: "De baas", At: time.Now()}).Round
	x := sought{round: r.ID, slots: map[string][]byte{}}
	for i := range 8 {
		o := order{Do: "form", Person: "ACCOUNT-5B2E-" + strconv.Itoa(i) + "Q", Name: "Vrouwke Roepnaam-" + strconv.Itoa(i) + "Z", Message: "MESSAGE-ID-" + strconv.Itoa(i) + "H", Arg: string(r.ID),
			Text: "Woorden van nummer " + strconv.Itoa(i) + ", WOORD-H" + strconv.Itoa(i) + "A.", Share: "share", At: r.Opens.Add(time.Duration(i+1)*4127*time.Second + 123_457*time.Microsecond)}
		switch i {
		case 5:
			o.Share = "count"
		case 6, 7:
			o.Do = "type"
		}
		if i < 5 || i == 6 {
			x.shared = append(x.shared, o.Text)
		} else {
			x.private = append(x.private, o.Text)
		}
		x.accounts, x.names, x.messages, x.moments = append(x.accounts, o.Person), append(x.names, o.Name), append(x.messages, o.Message), append(x.moments, o.At)
		x.codes = append(x.codes, codeShape.FindAllString(tell(o).Text, -1)...)
		if i == 6 { // the last one stays a draft
			o.Do, o.At = "share", o.At.Add(time.Second)
			x.moments = append(x.moments, o.At)
			tell(o)
		}
	}
	if len(x.codes) != 5 && len(x.codes) != 6 {
		t.Fatalf("%d codes", len(x.codes))
	}
	read := func() { // the slots that are there, and those that were
		entries, err := os.ReadDir(filepath.Join(dir, "keys"))
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			block := readFile(t, filepath.Join(dir, "keys", e.Name()))
			x.slots[e.Name()] = block[2 : 2+int(binary.BigEndian.Uint16(block))]
		}
	}
	look := func(moment string) {
		t.Helper()
		read()
		file := filepath.Join(t.TempDir(), "heap")
		tell(order{Do: "dump", File: file})
		kinds := map[string]bool{}
		for kind, n := range x.finder(t).search(dense(readFile(t, file))...) {
			if kind == kCounts { // the field's name, which the program's own text holds
				continue
			}
			kinds[kind] = true
			t.Logf("heap, %s: %s %d times", moment, kind, n)
		}
		rows = append(rows, sight{moment, map[string]map[string]bool{"heap": kinds}})
	}
	look("open")
	m, err := readImage(readFile(t, filepath.Join(dir, "weerklank.db")))
	if err != nil {
		t.Fatal(err)
	}
	x.sealed = map[string][]byte{}
	for _, lid := range []string{"ballots", "aside"} {
		for _, rec := range m.bucket("open", string(r.ID), lid) {
			x.sealed[string(rec.value)] = slices.Clone(rec.value)
		}
	}
	if len(x.sealed) != 8 {
		t.Fatalf("%d sealed values", len(x.sealed))
	}
	tell(order{Do: "step", At: r.Closes, Arg: string(r.ID)})
	look("closed")
	r = tell(order{Do: "step", At: r.GivesBack, Arg: string(r.ID)}).Round
	look("given")
	r = tell(order{Do: "step", At: r.Keep.Add(time.Hour), Arg: string(r.ID)}).Round
	if !r.Keep.IsZero() {
		t.Error("the replies are still kept")
	}
	look("forgotten")
	tell(order{Do: "keep", Person: x.accounts[0], Text: x.shared[0]})
	look("planted")
	planted := rows[len(rows)-1].found["heap"]
	rows = rows[:len(rows)-1]
	if !rows[0].found["heap"][kKey] || !planted[kAccount] || !planted[kShared] {
		t.Error("a key in use, or what is kept on purpose, is not found: the test looks in the wrong place")
	}
	for _, s := range rows[1:] {
		for kind := range s.found["heap"] {
			t.Errorf("%s: the heap holds %s", s.moment, kind)
		}
	}
	return rows
}
