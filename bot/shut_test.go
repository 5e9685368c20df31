package bot_test

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/bot/chattest"
)

// shutting is a platform whose forms are gone once they are sent in.
type shutting struct{ *chattest.Fake }

func (shutting) Shuts() bool { return true }

// shutWorld is openWorld on such a platform.
func shutWorld(t *testing.T) (*world, bot.Round) {
	w, r := openWorld(t, 8)
	w.close()
	w.o.Chats = []bot.Chat{shutting{w.fake}}
	w.open()
	return w, r
}

func introCode(t *testing.T, f *bot.Form) string {
	t.Helper()
	code := codeShape.FindString(bot.Message{Blocks: f.Intro}.Plain())
	if code == "" {
		t.Fatalf("no code in %s", bot.Message{Blocks: f.Intro}.Plain())
	}
	return code
}

// Where forms shut, the code stands on the form before there is a reply, and removes the reply of that form and no other.
func TestShuttingFormsShowTheCodeFirst(t *testing.T) {
	w, r := shutWorld(t)
	defer w.close()
	ctx := context.Background()
	press := func(person string) *bot.Form {
		t.Helper()
		resp, err := w.fake.Press(ctx, person, crew, bot.Action{Do: "answer", Round: r.ID})
		if err != nil || resp.Form == nil {
			t.Fatalf("%v %s", err, plain(resp))
		}
		return resp.Form
	}
	submit := func(person string, f *bot.Form, text, share string) bot.Response {
		t.Helper()
		resp, err := w.fake.Submit(ctx, person, crew, f, map[string][]string{"text": {text}, "share": {share}})
		if err != nil {
			t.Fatal(err)
		}
		return resp
	}
	first := press("p1")
	lapsed := introCode(t, first)
	if wrong := submit("p1", first, "tekst een", ""); wrong.Kept || wrong.Errors["share"] == "" || wrong.Form.State != first.State || introCode(t, wrong.Form) != lapsed {
		t.Fatalf("a form with errors: %+v", wrong)
	}
	if resp := submit("p1", first, "tekst een", "share"); !resp.Kept || !strings.Contains(plain(resp), lapsed) {
		t.Fatalf("%+v %s", resp, plain(resp))
	}
	if again := submit("p1", first, "tekst een, beter", "share"); !again.Kept || !strings.Contains(plain(again), lapsed) {
		t.Errorf("the same form later: %+v %s", again, plain(again))
	}
	second := press("p1")
	code := introCode(t, second)
	if code == lapsed {
		t.Error("two forms have one code")
	}
	if resp := submit("p1", second, "tekst twee", "share"); !resp.Kept || !strings.Contains(plain(resp), code) {
		t.Errorf("%+v %s", resp, plain(resp))
	}
	if other := introCode(t, press("p2")); other == code || other == lapsed {
		t.Error("two people have one code")
	}
	for i := 2; i <= 6; i++ {
		person := fmt.Sprintf("p%d", i)
		submit(person, press(person), fmt.Sprintf("tekst van %d", i), "share")
	}
	w.finish(r)
	if !strings.Contains(w.channel(crew), "tekst twee") {
		t.Fatal("the reply was not shared")
	}
	remove := func(code string) string {
		t.Helper()
		_, resp, err := w.fake.Type(ctx, "p8", "verwijder "+code)
		if err != nil {
			t.Fatal(err)
		}
		return plain(resp)
	}
	if got := remove(lapsed); !strings.Contains(got, "kan ik niets weghalen") {
		t.Errorf("a lapsed code: %q", got)
	}
	if got := remove(code); !strings.Contains(got, "Weggehaald") {
		t.Errorf("the code: %q", got)
	}
}

// The version of a reply is when its form was sent in, not when it was opened; and the same form again changes nothing.
func TestShuttingFormsAndTypedWords(t *testing.T) {
	w, r := shutWorld(t)
	defer w.close()
	ctx := context.Background()
	opened, err := w.fake.Press(ctx, "p1", crew, bot.Action{Do: "answer", Round: r.ID})
	if err != nil {
		t.Fatal(err)
	}
	code := introCode(t, opened.Form)
	send := func(at time.Time, text, share string) bot.Response {
		t.Helper()
		from := w.fake.From("p1", crew)
		from.At = at
		values := map[string][]string{"text": {text}, "share": {share}}
		resp, err := w.fake.Send(ctx, bot.FormSubmitted{From: from, Form: "reply", State: opened.Form.State, Values: maps.Clone(values)})
		if err != nil {
			t.Fatal(err)
		}
		return resp
	}
	now := func() string {
		t.Helper()
		resp, err := w.fake.Press(ctx, "p1", crew, bot.Action{Do: "answer", Round: r.ID})
		if err != nil {
			t.Fatal(err)
		}
		return strings.Join(resp.Form.Fields[0].Value, "")
	}
	early := w.fake.Now()
	w.until(early.Add(time.Minute))
	for _, words := range []string{"getypt", "2"} {
		if _, _, err := w.fake.Type(ctx, "p1", words); err != nil {
			t.Fatal(err)
		}
	}
	if resp := send(early, "van voor het typen", "share"); resp.Kept || !strings.Contains(plain(resp), "iets nieuwers") || now() != "getypt" {
		t.Errorf("an older form: %+v %s, %q", resp, plain(resp), now())
	}
	w.until(w.fake.Now().Add(time.Minute))
	later := w.fake.Now()
	if resp := send(later, "van erna", "share"); !resp.Kept || now() != "van erna" {
		t.Errorf("a newer form: %+v, %q", resp, now())
	}
	if resp := send(later, "van erna", "share"); !resp.Kept || !strings.Contains(plain(resp), code) || now() != "van erna" {
		t.Errorf("the same form again: %+v %s, %q", resp, plain(resp), now())
	}
	w.until(later.Add(time.Minute))
	if resp := send(w.fake.Now(), "van erna", "self"); !resp.Kept || now() != "" {
		t.Errorf("for myself: %+v, %q", resp, now())
	}
	if resp := send(later, "van erna", "share"); resp.Kept || now() != "" {
		t.Errorf("the withdrawn form again: %+v, %q", resp, now())
	}
}

// What was sent in with any other form, or not done, says so as well; and a form that cannot be shown again asks for
// everything from the start.
func TestKept(t *testing.T) {
	w := newWorld(t, nil)
	defer func() { w.close() }()
	ctx := context.Background()
	asked, err := w.fake.Command(ctx, "p1", crew, "aan")
	if err != nil || asked.Kept {
		t.Fatal(asked, err)
	}
	if strings.Contains(formText(asked.Form, nil), "Eigen moment") {
		t.Error("the form has moments of one's own from the start")
	}
	w.close()
	w.o.Chats = []bot.Chat{shutting{w.fake}}
	w.open()
	if asked, err = w.fake.Command(ctx, "p1", crew, "aan"); err != nil || !strings.Contains(formText(asked.Form, nil), "Eigen moment") {
		t.Errorf("%v, %s", err, formText(asked.Form, nil))
	}
	wrong, err := w.fake.Submit(ctx, "p1", crew, asked.Form, nil)
	if err != nil || wrong.Kept || len(wrong.Errors) == 0 {
		t.Errorf("%v, %+v", err, wrong)
	}
	if on := w.switchOn(crew, nil); !on.Kept {
		t.Error("switching on was done and is not called so")
	}
	settings, err := w.fake.Command(ctx, "p1", crew, "instellingen")
	if err != nil {
		t.Fatal(err)
	}
	if r, err := w.fake.Submit(ctx, "p1", crew, settings.Form, map[string][]string{"min_replies": {"6"}}); err != nil || !r.Kept {
		t.Errorf("%v, %+v", err, r)
	}
	if r, err := w.fake.Submit(ctx, "p2", crew, settings.Form, map[string][]string{"min_replies": {"7"}}); err != nil || r.Kept {
		t.Errorf("%v, %+v", err, r)
	}
}
