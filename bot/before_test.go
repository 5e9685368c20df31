package bot_test

import (
	"bytes"
	"context"
	"log/slog"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/bot/chattest"
	"github.com/weerklank/weerklank/prompts"
)

const (
	heavyWords = "Ik zie het niet meer zitten, ik wil dood."
	phoneWords = "Bel Ans maar, 06-12345678, dan hoor je het zelf."
)

// ballots counts what lies in a round's box; what is not there is stored nowhere, since drafts lie at the same addresses.
func (w *world) ballots(r bot.Round) int {
	w.t.Helper()
	all, err := w.db.Box(context.Background(), r.ID)
	if err != nil {
		w.t.Fatal(err)
	}
	return len(all)
}

// form sends a person's reply form in at a moment; action is a button besides the one that keeps it.
func (w *world) form(person string, r bot.Round, at time.Time, action string, values map[string][]string) bot.Response {
	w.t.Helper()
	f := w.fake.From(person, crew)
	f.At = at
	resp, err := w.fake.Send(context.Background(), bot.FormSubmitted{From: f, Form: "reply", State: string(r.ID), Values: values, Action: action})
	if err != nil {
		w.t.Fatal(err)
	}
	return resp
}

func field(t *testing.T, f *bot.Form, name string) bot.Field {
	t.Helper()
	if f != nil {
		for _, field := range f.Fields {
			if field.Name == name {
				return field
			}
		}
	}
	t.Fatalf("no field %s", name)
	return bot.Field{}
}

func notice(f *bot.Form) string { return bot.Message{Blocks: f.Notice}.Plain() }

// Something heavy in a form brings up where to turn to before anything is kept. The choice is asked again; the same form
// again shows the same; after that nothing is in the way (TRUST P13).
func TestHeavyForm(t *testing.T) {
	w, r := openWorld(t, 8)
	defer w.close()
	now := time.Now()
	values := map[string][]string{"text": {heavyWords}, "share": {"share"}}
	first := w.form("p2", r, now, "", values)
	for range 2 {
		if first.Form == nil || first.Errors["share"] == "" || w.ballots(r) != 0 {
			t.Fatalf("%+v, %d kept", first, w.ballots(r))
		}
		card := notice(first.Form)
		for _, want := range []string{"Gaat dit over jezelf of over iets in je werk?", "0800-0113", "bel 112", "Sam de Wit", "waarschuw niemand"} {
			if !strings.Contains(card, want) {
				t.Errorf("the card lacks %q:\n%s", want, card)
			}
		}
		if len(field(t, first.Form, "share").Value) != 0 || field(t, first.Form, "text").Value[0] != heavyWords {
			t.Errorf("the choice stands, or the text is gone: %+v", first.Form.Fields)
		}
		first = w.form("p2", r, now, "", values) // redelivered
	}
	noChoice := w.form("p2", r, now.Add(time.Minute), "", map[string][]string{"text": {heavyWords}})
	if noChoice.Errors["share"] == "" || w.ballots(r) != 0 || !strings.Contains(notice(noChoice.Form), "0800-0113") {
		t.Errorf("without a choice: %+v, %d kept", noChoice, w.ballots(r))
	}
	kept := w.form("p2", r, now.Add(2*time.Minute), "", values)
	if !strings.Contains(plain(kept), "Bewaard, zonder naam") || w.ballots(r) != 1 {
		t.Errorf("%s, %d kept", plain(kept), w.ballots(r))
	}
	w.close()
	w.open() // what was shown is forgotten; what was kept is not asked about again
	if again := w.form("p2", r, now.Add(2*time.Minute), "", values); plain(again) != plain(kept) {
		t.Errorf("the same form after a restart: %s", plain(again))
	}
	// "For myself" is stored nowhere, so nothing stands before it.
	if own := w.form("p3", r, now, "", map[string][]string{"text": {heavyWords}, "share": {"self"}}); !strings.Contains(plain(own), "Niets bewaard") {
		t.Errorf("for myself: %+v", own)
	}
	// Another kind is shown although one was shown before.
	other := w.form("p2", r, now.Add(3*time.Minute), "", map[string][]string{"text": {"Mijn leidinggevende is handtastelijk."}, "share": {"count"}})
	if other.Form == nil || !strings.Contains(notice(other.Form), "luistert, denkt mee") {
		t.Errorf("another kind: %+v", other)
	}
}

// The same for a typed message: nothing is kept, not even a draft, until it is sent once more.
func TestHeavyTyped(t *testing.T) {
	w, r := openWorld(t, 8)
	defer w.close()
	ctx := context.Background()
	f := w.fake.From("p2", "")
	e := bot.DirectReply{From: f, Text: heavyWords, Message: "m1"}
	empty := w.file()
	for range 2 { // redelivered
		resp, err := w.fake.Send(ctx, e)
		if err != nil || !strings.Contains(plain(resp), "0800-0113") || !strings.Contains(plain(resp), "Ik heb dit niet bewaard") {
			t.Fatalf("%s %v", plain(resp), err)
		}
		if !bytes.Equal(w.file(), empty) {
			t.Error("something was stored")
		}
	}
	if _, resp, err := w.fake.Type(ctx, "p2", "2"); err != nil || strings.Contains(plain(resp), "Bewaard") {
		t.Errorf("a choice for what is not there: %s %v", plain(resp), err)
	}
	id, resp, err := w.fake.Type(ctx, "p2", heavyWords)
	if err != nil || !strings.Contains(plain(resp), "Wat mag ik ermee doen?") {
		t.Fatalf("%s %v", plain(resp), err)
	}
	if resp, err = w.fake.Press(ctx, "p2", "", bot.Action{Do: "share", Round: r.ID, Arg: "count"}); err != nil || w.ballots(r) != 1 {
		t.Errorf("%s %v", plain(resp), err)
	}
	// An edit that brings something else is not taken before it is made again; what was kept stays.
	edit := w.fake.From("p2", "")
	change := bot.DirectReply{From: edit, Text: "Mijn leidinggevende is handtastelijk.", Message: id, Edited: true}
	if resp, err = w.fake.Send(ctx, change); err != nil || !strings.Contains(plain(resp), "luistert, denkt mee") {
		t.Errorf("%s %v", plain(resp), err)
	}
	change.From = w.fake.From("p2", "")
	if resp, err = w.fake.Send(ctx, change); err != nil || !strings.Contains(plain(resp), "Aangepast") {
		t.Errorf("%s %v", plain(resp), err)
	}
}

// A sentence whose contact nobody filled in is left out; one that is filled in is said.
func TestHeavyContacts(t *testing.T) {
	text := map[string][]string{"text": {"Een bezoeker heeft mij bedreigd en geslagen."}, "share": {"count"}}
	for _, help := range []bot.Help{{}, {Support: "het bedrijfsmaatschappelijk werk", Scheme: "het agressieloket", Officer: "de aandachtsfunctionaris"}} {
		w := newWorld(t, func(o *bot.Options) { o.Help = help })
		w.switchOn(crew, nil)
		w.step(w.team().NextOpens)
		card := w.form("p2", w.openRound(crew), time.Now(), "", text)
		if card.Form == nil {
			t.Fatalf("no card: %s", plain(card))
		}
		said := notice(card.Form)
		if strings.Contains(said, "Meld het bij") != (help.Scheme != "") || strings.Contains(said, "{") || !strings.Contains(said, "Erover praten kan bij ") ||
			help.Scheme != "" && !strings.Contains(said, help.Scheme) {
			t.Errorf("%+v:\n%s", help, said)
		}
		w.close()
	}
}

// Personal data is pointed out, with its place; it can be struck out, changed or sent anyway. Sent anyway it counts and is
// never quoted, and its author is told; struck out it is quoted (TRUST P4, P12).
func TestHintsForm(t *testing.T) {
	w, r := openWorld(t, 8)
	defer w.close()
	now := time.Now()
	for i, p := range []string{"p3", "p4", "p5", "p6"} {
		w.form(p, r, now.Add(time.Duration(i)*time.Second), "", map[string][]string{"text": {"gewoon een antwoord van " + p}, "share": {"share"}})
	}
	anyway := map[string][]string{"text": {phoneWords}, "share": {"share"}}
	hint := w.form("p2", r, now, "", anyway)
	if !strings.Contains(hint.Errors["text"], "een telefoonnummer (06-12345678)") || w.ballots(r) != 4 || len(field(t, hint.Form, "share").Value) != 1 {
		t.Fatalf("%+v", hint)
	}
	if !strings.Contains(hint.Form.Extra[len(hint.Form.Extra)-1].Label, "Streep weg") {
		t.Errorf("%+v", hint.Form.Extra)
	}
	kept := w.form("p2", r, now.Add(time.Minute), "", anyway)
	if out := plain(kept); !strings.Contains(out, "Je tekst deel ik niet") || strings.Contains(out, "deze code") || w.ballots(r) != 5 {
		t.Errorf("%s", out)
	}
	struck := w.form("p7", r, now, "strike", map[string][]string{"text": {phoneWords}, "share": {"share"}, "other": {"mail x@voorbeeld.nl"}})
	got := field(t, struck.Form, "text").Value[0]
	if strings.Contains(got, "06-12345678") || !strings.Contains(got, "[weggelaten]") || strings.Contains(field(t, struck.Form, "other").Value[0], "@") || len(struck.Errors) != 0 {
		t.Fatalf("%q %+v", got, struck)
	}
	if resp := w.form("p7", r, now.Add(time.Second), "", map[string][]string{"text": {got}, "share": {"share"}}); !strings.Contains(plain(resp), "deze code") {
		t.Errorf("%s", plain(resp))
	}
	done := w.finish(r)
	if done.Tally == nil || done.Tally.Respondents != 6 {
		t.Errorf("%+v", done.Tally)
	}
	said := w.channel(crew)
	if strings.Contains(said, "06-12345678") || !strings.Contains(said, "[weggelaten]") || !strings.Contains(said, "gewoon een antwoord van p3") {
		t.Errorf("%s", said)
	}
	if shelf, err := w.db.Shelf(context.Background(), r.ID); err != nil || len(shelf) != 5 {
		t.Errorf("%d on the shelf, %v", len(shelf), err)
	}
}

// The same for what is typed: the hint stands with the question what may be done with it.
func TestHintsTyped(t *testing.T) {
	w, r := openWorld(t, 8)
	defer w.close()
	ctx := context.Background()
	id, resp, err := w.fake.Type(ctx, "p2", phoneWords)
	if out := plain(resp); err != nil || !strings.Contains(out, "een telefoonnummer.") || strings.Contains(out, "06-12345678") || !strings.Contains(out, "streep weg") {
		t.Fatalf("%s %v", out, err)
	}
	if _, resp, err = w.fake.Type(ctx, "p2", "streep weg"); err != nil || !strings.Contains(plain(resp), "Weggestreept") || strings.Contains(plain(resp), "06-12345678") {
		t.Errorf("%s %v", plain(resp), err)
	}
	if _, resp, err = w.fake.Type(ctx, "p2", "2"); err != nil || !strings.Contains(plain(resp), "Bewaard") || strings.Contains(plain(resp), "deel ik niet") {
		t.Errorf("%s %v", plain(resp), err)
	}
	// An edit of the message brings the number back: from then on it is not quoted.
	edit := bot.DirectReply{From: w.fake.From("p2", ""), Text: phoneWords + " Ja.", Message: id, Edited: true}
	if resp, err = w.fake.Send(ctx, edit); err != nil || !strings.Contains(plain(resp), "Aangepast") || !strings.Contains(plain(resp), "deel ik niet") {
		t.Errorf("%s %v", plain(resp), err)
	}
	for _, p := range []string{"p3", "p4", "p5", "p6"} {
		w.answer(p, r.ID, map[string][]string{"text": {"woorden van " + p}, "share": {"share"}})
	}
	w.finish(r)
	if said := w.channel(crew); strings.Contains(said, "06-12345678") || !strings.Contains(said, "woorden van p3") {
		t.Errorf("%s", said)
	}
}

// Somebody of the channel is a find as well.
func TestHintsKnowTheChannel(t *testing.T) {
	w, r := openWorld(t, 8)
	defer w.close()
	w.fake.Add(chattest.Person{ID: "p9", Name: "Roos Vermeulen", Lang: prompts.Dutch, Channels: []bot.TeamID{crew}})
	text := map[string][]string{"text": {"Volgens Roos Vermeulen mag het."}, "share": {"share"}}
	if hint := w.form("p2", r, time.Now(), "", text); !strings.Contains(hint.Errors["text"], "de naam van iemand uit dit kanaal (Roos Vermeulen)") {
		t.Errorf("%+v", hint)
	}
}

// Nothing of a find is in a log, a file or a metric (TRUST P4, P13): the log of runs with and without finds is the same.
func TestFindsLeaveNoTrace(t *testing.T) {
	var logs []string
	for _, text := range []string{"een gewoon antwoord", phoneWords, heavyWords} {
		var out bytes.Buffer
		var mu sync.Mutex
		w := newWorld(t, func(o *bot.Options) {
			o.Log = slog.New(slog.NewTextHandler(lockedWriter{&mu, &out}, &slog.HandlerOptions{Level: slog.LevelDebug,
				ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
					if a.Key == slog.TimeKey {
						return slog.Attr{}
					}
					return a
				}}))
		})
		w.switchOn(crew, nil)
		w.step(w.team().NextOpens)
		r := w.openRound(crew)
		values := map[string][]string{"text": {text}, "share": {"count"}}
		for i := range 2 {
			w.form("p2", r, time.Now().Add(time.Duration(i)*time.Second), "", maps.Clone(values))
			if _, _, err := w.fake.Type(context.Background(), "p3", text); err != nil {
				t.Fatal(err)
			}
		}
		if w.ballots(r) != 1 {
			t.Errorf("%q: %d kept", text, w.ballots(r))
		}
		raw := w.file()
		for _, kind := range []string{"phone", "suicide", "06-12345678", "wil dood"} {
			if bytes.Contains(raw, []byte(kind)) {
				t.Errorf("%q: the file holds %q", text, kind)
			}
		}
		w.close()
		logs = append(logs, out.String())
	}
	for _, l := range logs[1:] {
		if l != logs[0] {
			t.Errorf("the log tells:\n%s\nbeside\n%s", l, logs[0])
		}
	}
}
