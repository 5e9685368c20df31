package slacktest_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"

	"github.com/weerklank/weerklank/bot/slack/slacktest"
)

// answering is a bot that answers each form with what comes from answers, and opens or pushes what comes from views.
func (w *world) answering(answers chan any, push chan slack.ModalViewRequest) chan slack.InteractionCallback {
	seen := make(chan slack.InteractionCallback, 100)
	w.bot(func(evt *socketmode.Event, ack func(any)) {
		if evt.Type == socketmode.EventTypeEventsAPI {
			ack(nil)
		}
		if evt.Type != socketmode.EventTypeInteractive {
			return
		}
		in := evt.Data.(slack.InteractionCallback)
		seen <- in
		select {
		case v := <-push:
			var err error
			if in.View.ID != "" {
				_, err = w.c.PushViewContext(w.ctx, in.TriggerID, v)
			} else {
				_, err = w.c.OpenViewContext(w.ctx, in.TriggerID, v)
			}
			if err != nil {
				w.Errorf("a view: %v", err)
			}
		default:
		}
		if in.Type == slack.InteractionTypeViewSubmission {
			ack(<-answers)
			return
		}
		ack(nil)
	})
	return seen
}

func TestModals(t *testing.T) {
	w := build(t, slacktest.Options{})
	answers, push := make(chan any, 10), make(chan slack.ModalViewRequest, 10)
	seen := w.answering(answers, push)
	button := form("Een")
	button.Blocks.BlockSet = append(button.Blocks.BlockSet, slack.NewActionBlock("more", slack.NewButtonBlockElement("deeper", "1", plain("Verder"))))
	push <- button
	w.s.GlobalShortcut(w.ann, "open")
	// A modal on top of it, and one more by an answer; a fourth is refused.
	push <- form("Twee")
	if r := w.s.Press(w.ann, *w.s.Modal(w.ann), "Verder"); r.Modal.Title != "Twee" || r.Modal.Previous == "" {
		t.Errorf("%+v", r)
	}
	fill := map[string]any{"Jouw reactie": "goed", "Delen": []string{"count"}}
	three, four := form("Drie"), form("Vier")
	answers <- slack.NewPushViewSubmissionResponse(&three)
	if r := w.s.SubmitModal(w.ann, fill); r.Modal.Title != "Drie" || r.Closed {
		t.Errorf("%+v", r)
	}
	answers <- slack.NewPushViewSubmissionResponse(&four)
	if r := w.s.SubmitModal(w.ann, fill); r.Err == "" || r.Modal.Title != "Drie" || len(w.s.Stack(w.ann)) != 3 {
		t.Errorf("%+v", r)
	}
	// Answers that a server cannot use.
	long := form("Een titel die langer is dan 24")
	for _, bad := range []any{
		map[string]any{"response_action": "sing"}, map[string]any{"response_action": "errors", "errors": map[string]string{"nowhere": "x"}},
		map[string]any{"response_action": "errors", "errors": map[string]string{}}, slack.NewUpdateViewSubmissionResponse(&long), map[string]any{"text": "x"},
	} {
		answers <- bad
		if r := w.s.SubmitModal(w.ann, nil); r.Err == "" || r.Modal.Title != "Drie" || r.Closed {
			t.Errorf("%+v: %+v", bad, r)
		}
	}
	if n := len(w.s.Problems()); n != 6 {
		t.Errorf("%d: %v", n, w.s.Problems())
	}
	if r := w.s.SubmitModal(w.ann, map[string]any{"Jouw reactie": strings.Repeat("a", 1501)}); r.Refused["Jouw reactie"] != "too long" {
		t.Errorf("%+v", r)
	}
	for len(seen) > 0 {
		<-seen
	}
	if r := w.s.CloseModal(w.ann); r.Modal.Title != "Twee" {
		t.Errorf("%+v", r)
	}
	if in := <-seen; in.Type != slack.InteractionTypeViewClosed || in.IsCleared {
		t.Errorf("%+v", in)
	}
	if r := w.s.CloseAll(w.ann); r.Modal != nil {
		t.Errorf("%+v", r)
	}
	if in := <-seen; in.Type != slack.InteractionTypeViewClosed || !in.IsCleared {
		t.Errorf("%+v", in)
	}
	// One answer closes all.
	push <- button
	w.s.GlobalShortcut(w.ann, "open")
	answers <- slack.NewClearViewSubmissionResponse()
	id := w.s.Modal(w.ann).ID
	if r := w.s.SubmitModal(w.ann, fill); !r.Closed || r.Modal != nil {
		t.Errorf("%+v", r)
	}
	answers <- nil
	if r := w.s.Resubmit(w.ann, id); r.Err != "" {
		t.Errorf("%+v", r)
	}
}

func TestControlsOnMessagesAndHome(t *testing.T) {
	w := build(t, slacktest.Options{})
	seen := w.answering(nil, nil)
	menu := slack.NewOptionsSelectBlockElement("static_select", plain("Kies"), "lang", slack.NewOptionBlockObject("nl", plain("Nederlands"), nil),
		slack.NewOptionBlockObject("en", plain("Engels"), nil))
	_, ts, err := w.c.PostMessageContext(w.ctx, w.ann, slack.MsgOptionText("Taal?", false), slack.MsgOptionBlocks(
		slack.NewActionBlock("b", menu, slack.NewButtonBlockElement("go", "", plain("Klaar")))))
	w.ok("post", err)
	dm := w.s.Direct(w.ann)
	m, _ := w.s.Message(dm, ts)
	w.s.Choose(w.ann, m, "lang", "Engels")
	if in := <-seen; in.ActionCallback.BlockActions[0].SelectedOption.Value != "en" || in.Channel.Name != "directmessage" {
		t.Errorf("%+v", in)
	}
	w.s.Decorate(dm, ts, map[string]any{"attachments": []any{map[string]any{"id": 1, "fallback": "x"}}})
	w.s.Press(w.ann, m, "Klaar")
	if in := <-seen; in.BlockActionState.Values["b"]["lang"].SelectedOption.Value != "en" || len(in.Message.Attachments) != 1 {
		t.Errorf("%+v", in)
	}
	_, err = w.c.PublishViewContext(w.ctx, slack.PublishViewContextRequest{UserID: w.ann, View: slack.HomeTabViewRequest{Type: slack.VTHomeTab, Blocks: slack.Blocks{BlockSet: prompt()}}})
	w.ok("publish", err)
	w.s.Press(w.ann, *w.s.Home(w.ann), "Reageer")
	if in := <-seen; in.View.Type != slack.VTHomeTab || in.Container.ViewID == "" || in.Channel.ID != "" {
		t.Errorf("%+v", in)
	}
	_, err = w.c.PostEphemeralContext(w.ctx, w.wing, w.ann, slack.MsgOptionBlocks(prompt()...))
	w.ok("ephemeral", err)
	w.s.Press(w.ann, w.s.Ephemerals(w.ann)[0], "Reageer")
	in := <-seen
	if !in.Container.IsEphemeral || in.ResponseURL == "" {
		t.Errorf("%+v", in)
	}
	_, _, err = w.c.PostMessageContext(w.ctx, w.wing, slack.MsgOptionDeleteOriginal(in.ResponseURL))
	w.ok("delete", err)
	if len(w.s.Ephemerals(w.ann)) != 0 {
		t.Error("it is still there")
	}
}

func TestThreadsAndTombstones(t *testing.T) {
	w := build(t, slacktest.Options{})
	dm := w.s.Direct(w.ann)
	root := w.s.TypeDirect(w.ann, "een")
	reply := w.s.ThreadReply(w.ann, dm, root, "twee")
	w.s.Delete(dm, root)
	if l := w.s.DM(w.ann); len(l) != 2 || l[0].Subtype != "tombstone" || l[0].Seen() != "This message was deleted." {
		t.Errorf("%+v", l)
	}
	w.s.Delete(dm, reply)
	w.s.Unfurl(dm, w.s.TypeDirect(w.ann, "https://example.org"))
	kinds := []string{}
	for _, e := range w.s.Journal() {
		if e.Kind == slacktest.KindEnvelope && e.Attempt == 0 {
			for _, k := range []string{"tombstone", "message_deleted", "from_url"} {
				if strings.Contains(e.Body, k) {
					kinds = append(kinds, k)
				}
			}
		}
	}
	if !slices.Equal(kinds, []string{"tombstone", "message_deleted", "from_url"}) {
		t.Errorf("%v", kinds)
	}
}

func TestLeaks(t *testing.T) {
	w := build(t, slacktest.Options{Enterprise: "E0GRID0001"})
	const marker = "MERKTEKEN <éénmalig>"
	w.s.TypeDirect(w.ann, marker)
	if l := w.s.Leaks(marker, nil); len(l) != 0 {
		t.Errorf("%+v", l)
	}
	for i, text := range []string{"x " + marker + " y", strings.ToLower(marker), "TUVSS1RFS0VOIDzDqcOpbm1hbGlnPg", "eCBNRVJLVEVLRU4gPMOpw6lubWFsaWc+"} {
		_, _, err := w.c.PostMessageContext(w.ctx, w.wing, slack.MsgOptionText(text, false))
		w.ok("post", err)
		if l := w.s.Leaks(marker, nil); len(l) != i+1 {
			t.Errorf("%q: %d", text, len(l))
		}
	}
	if l := w.s.Leaks(marker, func(e slacktest.Entry) bool { return e.Channel == w.wing }); len(l) != 0 {
		t.Errorf("%+v", l)
	}
	section := slack.NewSectionBlock(plain("x "+marker), nil, nil)
	_, _, err := w.c.PostMessageContext(w.ctx, w.dark, slack.MsgOptionBlocks(section))
	w.ok("post", err)
	_, _, err = w.c.PostMessageContext(w.ctx, w.dark, slack.MsgOptionText(marker, true))
	w.ok("post", err)
	if l := w.s.Leaks(marker, func(e slacktest.Entry) bool { return e.Channel == w.wing }); len(l) != 2 {
		t.Errorf("%+v", l)
	}
	a, err := w.c.AuthTestContext(w.ctx)
	w.ok("auth.test", err)
	if a.EnterpriseID != "E0GRID0001" {
		t.Errorf("%+v", a)
	}
}

func TestGhosts(t *testing.T) {
	w := build(t, slacktest.Options{})
	w.s.Set(func(s *slacktest.Settings) { s.Ghosts = 3 })
	k, e := w.dial()
	if e.NumConnections != 4 {
		t.Errorf("%+v", e)
	}
	w.s.Burst(w.ann, 40)
	ghosts := 0
	for _, e := range w.s.Journal() {
		if e.Err == "ghost" {
			ghosts++
		}
	}
	for range 40 - ghosts {
		w.ack(k, w.next(k).ID)
	}
	w.s.Settle()
	if ghosts == 0 || ghosts == 40 {
		t.Errorf("%d", ghosts)
	}
}

func TestLive(t *testing.T) {
	w := build(t, slacktest.Options{})
	const hostile = "<!channel> <https://x.example|klik> @here https://y.example #wing"
	strict := mrkdwn("&lt;!channel&gt; https://y.example")
	strict.Verbatim = true
	for _, c := range []struct {
		want  int
		block slack.Block
	}{
		{5, slack.NewSectionBlock(mrkdwn(hostile), nil, nil)}, {0, slack.NewSectionBlock(plain(hostile), nil, nil)}, {0, slack.NewSectionBlock(strict, nil, nil)},
		{1, slack.NewRichTextBlock("", &slack.RichTextQuote{Type: slack.RTEQuote, Elements: []slack.RichTextSectionElement{slack.NewRichTextSectionBroadcastElement("here")}})},
		{0, slack.NewRichTextBlock("", &slack.RichTextQuote{Type: slack.RTEQuote, Elements: []slack.RichTextSectionElement{slack.NewRichTextSectionTextElement(hostile, nil)}})},
	} {
		_, ts, err := w.c.PostMessageContext(w.ctx, w.wing, slack.MsgOptionText("&lt;!here&gt;", false), slack.MsgOptionBlocks(c.block))
		w.ok("post", err)
		m, _ := w.s.Message(w.wing, ts)
		if l := slacktest.Live(m); len(l) != c.want {
			t.Errorf("%q, not %d", l, c.want)
		}
	}
}
