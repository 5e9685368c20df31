package slack

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"testing"
	"time"
)

const formType = "application/x-www-form-urlencoded"

func envelopeOf(t *testing.T, kind, payload string) inbound {
	t.Helper()
	e := decodeEnvelope([]byte(`{"type":"` + kind + `","envelope_id":"e1","payload":` + payload + `}`))
	if e.ID != "e1" || e.Type != kind {
		t.Fatalf("%q %q", e.ID, e.Type)
	}
	return e.inbound()
}

// What a person types counts, whatever else stands beside it.
func TestMessageWithUnknownPartsCounts(t *testing.T) {
	for name, odd := range map[string]string{
		"nothing odd":        ``,
		"an unknown block":   `,"blocks":[{"type":"hologram","elements":{"a":1}}]`,
		"an unknown element": `,"blocks":[{"type":"context","elements":[{"type":"smell"}]}]`,
		"odd attachments":    `,"attachments":[{"ts":{"a":[]},"fields":7}]`,
		"odd optional types": `,"edited":7,"thread_ts":{},"files":"none","bot_id":null,"bot_profile":[],"metadata":false`,
		"an odd subobject":   `,"message":[1,2],"previous_message":"x"`,
		"a deep thing":       `,"x":` + strings.Repeat(`[`, 500) + strings.Repeat(`]`, 500),
	} {
		in := envelopeOf(t, "events_api", `{"type":"event_callback","event_id":"Ev1","team_id":"T1","event":{"type":"message","channel":"D1","channel_type":"im","user":"U1","text":"het is druk","ts":"1700000000.000100"`+odd+`}}`)
		m := in.Event.Message
		if in.Kind != kindEvent || in.Event.ID != "Ev1" || in.Event.Team != "T1" || m == nil {
			t.Errorf("%s: %q", name, in.Kind)
			continue
		}
		if m.User.Reveal() != "U1" || string(m.Text) != "het is druk" || m.TS != "1700000000.000100" || m.Channel != "D1" || m.ChannelType != "im" || m.Subtype != "" || m.BotID != "" {
			t.Errorf("%s: the message lost something", name)
		}
	}
}

// Of an edit and a deletion the outer user and text are empty.
func TestEditsAndDeletions(t *testing.T) {
	in := envelopeOf(t, "events_api", `{"type":"event_callback","event":{"type":"message","subtype":"message_changed","channel":"D1","channel_type":"im","ts":"9.9",
		"message":{"type":"message","user":"U1","text":"toch niet","ts":"1.1","edited":{"user":"U1","ts":"2.2"},"blocks":[{"type":"?"}]},
		"previous_message":{"user":"U1","text":"wel","ts":"1.1","message":{"text":"too deep"}}}}`)
	m := in.Event.Message
	if m.Subtype != "message_changed" || m.Inner == nil || string(m.Inner.Text) != "toch niet" || m.Inner.TS != "1.1" || m.Inner.EditedTS != "2.2" ||
		m.Inner.User.Reveal() != "U1" || m.Previous == nil || string(m.Previous.Text) != "wel" || m.Previous.Inner != nil {
		t.Error("the edit lost something")
	}
	in = envelopeOf(t, "events_api", `{"type":"event_callback","event":{"type":"message","subtype":"message_deleted","channel":"D1","ts":"3.3","deleted_ts":"1.1","previous_message":{"user":"U1","ts":"1.1"}}}`)
	m = in.Event.Message
	if m.Subtype != "message_deleted" || m.DeletedTS != "1.1" || m.Inner != nil || m.Previous.User.Reveal() != "U1" || !m.User.IsZero() {
		t.Error("the deletion lost something")
	}
}

func TestOtherEvents(t *testing.T) {
	event := func(wrapper, event string) event {
		t.Helper()
		in := envelopeOf(t, "events_api", `{"type":"event_callback"`+wrapper+`,"event":`+event+`}`)
		if in.Kind != kindEvent {
			t.Fatalf("%s is unknown", event)
		}
		return in.Event
	}
	if e := event(`,"is_ext_shared_channel":true`, `{"type":"channel_rename","channel":{"id":"C1","name":"zorg","created":1}}`); e.Channel != "C1" || e.Name != "zorg" || !e.Shared {
		t.Error("channel_rename")
	}
	if e := event(``, `{"type":"channel_archive","channel":"C1","user":"U1"}`); e.Channel != "C1" || e.User.Reveal() != "U1" {
		t.Error("channel_archive")
	}
	if e := event(``, `{"type":"channel_id_changed","old_channel_id":"C1","new_channel_id":"C2"}`); e.OldChannel != "C1" || e.Channel != "C2" {
		t.Error("channel_id_changed")
	}
	if e := event(``, `{"type":"tokens_revoked","tokens":{"oauth":["U9"],"bot":["U1","U2"]}}`); len(e.Bots) != 2 || e.Bots[1].Reveal() != "U2" {
		t.Error("tokens_revoked")
	}
	e := event(`,"event_time":1700000000,"enterprise_id":"E1","authorizations":[{"is_enterprise_install":"true"}]`,
		`{"type":"app_home_opened","user":"W1","channel":"D1","tab":"home","view":{"id":"V1","hash":"h","blocks":[{"type":"?"}]}}`)
	if e.User.Reveal() != "W1" || e.Tab != "home" || e.View == nil || e.View.Hash != "h" || e.Enterprise != "E1" || !e.OrgWide || e.At.Unix() != 1_700_000_000 {
		t.Error("app_home_opened")
	}
	in := envelopeOf(t, "events_api", `{"type":"app_rate_limited","team_id":"T1","minute_rate_limited":1700000000}`)
	if in.Kind != kindEvent || in.Event.Type != "app_rate_limited" || in.Event.Team != "T1" {
		t.Error("app_rate_limited")
	}
	for _, payload := range []string{`{"type":"event_callback","event":{"type":"reaction_added"}}`, `{}`, `null`, `[]`, `"text"`, `7`, `{"event":7}`} {
		if in := envelopeOf(t, "events_api", payload); in.Kind != kindUnknown {
			t.Errorf("%s is known", payload)
		}
	}
}

// A press counts, whatever the message that it is on holds.
func TestInteractions(t *testing.T) {
	for name, odd := range map[string]string{
		"nothing odd": `"message":{"ts":"1.1"}`, "an odd echo": `"message":{"ts":"1.1","blocks":[{"type":"hologram"}],"attachments":7,"edited":[]}`,
		"the echo is no object": `"message":7`, "odd state": `"message":{"ts":"1.1"},"state":7,"enterprise":null`,
	} {
		in := envelopeOf(t, "interactive", `{"type":"block_actions","user":{"id":"U1","team_id":"T2"},"team":{"id":"T1"},"trigger_id":"tr","response_url":"https://hooks/1",
			"container":{"type":"message","message_ts":"1.1","channel_id":"C1","is_ephemeral":"false"},"channel":{"id":"C1","name":"zorg"},
			"actions":[7,{"type":"button","action_id":"a1","block_id":"b1","value":"v1"},{"type":"?","action_id":"a2","selected_option":{"value":"v2"}},{"action_id":"a3","selected_options":[{"value":"x"},7,{"value":"y"}]}],`+odd+`}`)
		i := in.Interaction
		if in.Kind != kindInteraction || i.Type != interactPress || i.User.Reveal() != "U1" || i.Team != "T1" || i.Trigger != "tr" || i.Channel != "C1" || i.MessageTS != "1.1" || i.Container != "message" || i.Ephemeral {
			t.Errorf("%s: the press lost something", name)
		}
		if len(i.Actions) != 3 || i.Actions[0].ID != "a1" || i.Actions[0].Block != "b1" || i.Actions[0].Value != "v1" || i.Actions[1].Value != "v2" || len(i.Actions[2].Values) != 2 {
			t.Errorf("%s: the actions lost something", name)
		}
	}
	state := `{"values":{"b1":{"a1":{"type":"plain_text_input","value":"tekst"}},"b2":{"a2":{"type":"?"}}}}`
	in := envelopeOf(t, "interactive", `{"type":"view_submission","team":null,"user":{"id":"W1","team_id":"T1"},"enterprise":{"id":"E1"},"is_enterprise_install":"true",
		"view":{"id":"V1","root_view_id":"V0","type":"modal","hash":"h","callback_id":"form","external_id":"x","private_metadata":"m","state":`+state+`,"blocks":[{"type":"?"}]}}`)
	v := in.Interaction.View
	if v == nil || v.ID != "V1" || v.Root != "V0" || v.Hash != "h" || v.CallbackID != "form" || v.Metadata != "m" || string(v.State) != state {
		t.Error("the form lost something")
	}
	if i := in.Interaction; i.Team != "T1" || i.Enterprise != "E1" || !i.OrgWide {
		t.Error("the organisation is lost")
	}
	if in = envelopeOf(t, "interactive", `{"type":"view_closed","user":{"id":"U1"},"is_cleared":true,"is_enterprise_install":true,"view":{"id":"V1"}}`); !in.Interaction.Cleared || !in.Interaction.OrgWide || in.Interaction.View.State != nil {
		t.Error("view_closed")
	}
	if in = envelopeOf(t, "interactive", `{"type":"message_action","callback_id":"cb","user":{"id":"U1"},"channel":{"id":"C1"},"message":{"ts":"1.1","text":"not ours","user":"U2"}}`); in.Interaction.CallbackID != "cb" || in.Interaction.MessageTS != "1.1" {
		t.Error("message_action")
	}
	if in = envelopeOf(t, "interactive", `{"type":"workflow_step_edit","user":{"id":"U1"}}`); in.Kind != kindUnknown {
		t.Error("what is unknown is known")
	}
}

func TestCommands(t *testing.T) {
	in := envelopeOf(t, "slash_commands", `{"command":"/weerklank","text":"status","user_id":"U1","team_id":"T1","channel_id":"C1","trigger_id":"tr","is_enterprise_install":"false","enterprise_id":"E1"}`)
	form := url.Values{"command": {"/weerklank"}, "text": {"status"}, "user_id": {"U1"}, "team_id": {"T1"}, "channel_id": {"C1"}, "trigger_id": {"tr"}, "is_enterprise_install": {"false"}, "enterprise_id": {"E1"}}
	posted, _, ok := decodeHTTP(formType+"; charset=utf-8", []byte(form.Encode()))
	if !ok {
		t.Error("the form is refused")
	}
	for _, c := range []command{in.Command, posted.Command} {
		if c.Name != "/weerklank" || c.Text != "status" || c.User.Reveal() != "U1" || c.Team != "T1" || c.Channel != "C1" || c.Trigger != "tr" || c.OrgWide || c.Enterprise != "E1" {
			t.Error("the command lost something")
		}
	}
}

func TestBodies(t *testing.T) {
	press := `{"type":"block_actions","user":{"id":"U1"},"actions":[]}`
	for _, c := range []struct {
		name, media, body string
		kind              kind
		ok                bool
	}{
		{"an event", "application/json", `{"type":"event_callback","event":{"type":"message"}}`, kindEvent, true},
		{"an event of unknown type", "application/json; charset=utf-8", `{"type":"event_callback","event":{"type":"?"}}`, kindUnknown, true},
		{"a challenge", "application/json", `{"type":"url_verification","challenge":"c"}`, kindChallenge, true},
		{"no JSON", "application/json", `<html>`, kindUnknown, false},
		{"nothing", "", ``, kindUnknown, false},
		{"a press", formType, "payload=" + url.QueryEscape(press), kindInteraction, true},
		{"a press twice", formType, "payload=" + url.QueryEscape(press) + "&payload=" + url.QueryEscape(press), kindUnknown, false},
		{"a press that is no JSON", formType, "payload=x", kindUnknown, false},
		{"a press as JSON", "application/json", press, kindUnknown, true},
		{"a look at the certificate", formType, "ssl_check=1&token=x", kindCheck, true},
		{"a look with a command", formType, "ssl_check=1&command=%2Fx&user_id=U1", kindCommand, true},
		{"a form of something else", formType, "a=b", kindUnknown, false},
		{"a broken form", formType, "%zz=%", kindUnknown, false},
	} {
		in, challenge, ok := decodeHTTP(c.media, []byte(c.body))
		if in.Kind != c.kind || ok != c.ok || (c.kind == kindChallenge) != (challenge == "c") {
			t.Errorf("%s: %q %v", c.name, in.Kind, ok)
		}
	}
}

func TestEnvelopes(t *testing.T) {
	e := decodeEnvelope([]byte(`{"type":"hello","num_connections":"3","debug_info":{"approximate_connection_time":18060,"host":7},"connection_info":[]}`))
	if e.Type != envelopeHello || e.Connections != 3 || e.Lifetime != 18_060*time.Second {
		t.Errorf("hello: %d %s", e.Connections, e.Lifetime)
	}
	e = decodeEnvelope([]byte(`{"type":"events_api","envelope_id":"e","payload":"{\"type\":\"event_callback\",\"event\":{\"type\":\"message\",\"text\":\"x\"}}","retry_attempt":2,"retry_reason":"timeout","accepts_response_payload":"true"}`))
	if in := e.inbound(); in.Kind != kindEvent || in.Attempt != 2 || in.Reason != "timeout" || !e.Accepts {
		t.Error("a payload in text")
	}
	for raw, want := range map[string]int{"7": 7, "7.9": 7, `"7"`: 7, "-1": 0, "1e99": 0, "null": 0, "{}": 0, `"x"`: 0, "true": 0, `"NaN"`: 0, `"Inf"`: 0} {
		if got := objectOf([]byte(`{"n":` + raw + `}`)).number("n"); got != want {
			t.Errorf("%s: %d", raw, got)
		}
	}
	if e := decodeEnvelope([]byte(`{"debug_info":{"approximate_connection_time":1e12}}`)); e.Lifetime != maxLifetime*time.Second {
		t.Error(e.Lifetime)
	}
}

// Nothing of what came in shows when it is printed or logged.
func TestInboundPrintsAsAMark(t *testing.T) {
	in := envelopeOf(t, "interactive", `{"type":"view_submission","user":{"id":"U-SECRET"},"response_url":"U-SECRET","trigger_id":"U-SECRET","actions":[{"value":"U-SECRET"}],"view":{"id":"V1","private_metadata":"U-SECRET","state":{"values":"U-SECRET"}}}`)
	typed := envelopeOf(t, "events_api", `{"type":"event_callback","event_id":"U-SECRET","event":{"type":"message","channel":"U-SECRET","text":"U-SECRET"}}`)
	gave := envelopeOf(t, "slash_commands", `{"command":"U-SECRET","text":"U-SECRET"}`)
	var out bytes.Buffer
	log := slog.New(slog.NewTextHandler(&out, nil))
	for _, v := range []any{in, in.Interaction, in.Interaction.View, in.Interaction.Actions, *in.Interaction.View, typed, typed.Event, typed.Event.Message, *typed.Event.Message, gave, gave.Command, decodeEnvelope([]byte(`{"type":"U-SECRET","payload":"U-SECRET"}`))} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
			fmt.Fprintf(&out, verb, v)
		}
		log.Info("x", "v", v)
		if b, err := json.Marshal(v); err == nil {
			out.Write(b)
		}
	}
	for _, secret := range []string{"U-SECRET", fmt.Sprintf("%x", "U-SECRET")} {
		if strings.Contains(out.String(), secret) {
			t.Errorf("%q shows", secret)
		}
	}
}

func FuzzDecodeEnvelope(f *testing.F) {
	for _, seed := range []string{
		`{"type":"hello","num_connections":1,"debug_info":{"approximate_connection_time":18060}}`, `{"type":"disconnect","reason":"warning"}`,
		`{"type":"events_api","envelope_id":"e","payload":{"type":"event_callback","event_id":"E","event":{"type":"message","channel":"D","channel_type":"im","user":"U","text":"x","ts":"1.1","files":[{}],"edited":{"ts":"2.2"}}}}`,
		`{"type":"events_api","envelope_id":"e","payload":{"event":{"type":"message","subtype":"message_changed","message":{"text":"x"},"previous_message":{"message":{}}}}}`,
		`{"type":"events_api","envelope_id":"e","payload":{"event":{"type":"tokens_revoked","tokens":{"bot":["U"]}},"authorizations":[{}]}}`,
		`{"type":"interactive","envelope_id":"e","payload":{"type":"block_actions","user":{"id":"U"},"actions":[{"selected_options":[{"value":"x"}]}],"view":{"state":{"values":{}}}}}`,
		`{"type":"slash_commands","envelope_id":"e","payload":{"command":"/x"}}`, `{"type":"events_api","payload":"{}"}`, ``, `null`, "\xff", `"`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, frame []byte) {
		e := decodeEnvelope(frame)
		in := e.inbound()
		if e.Attempt < 0 || e.Connections < 0 || e.Lifetime < 0 {
			t.Error("a negative number")
		}
		switch in.Kind {
		case kindEvent:
			if in.Event.Type == "" || (in.Event.Type == "message") != (in.Event.Message != nil) {
				t.Error("an event without what it is about")
			}
		case kindInteraction:
			if v := in.Interaction.View; v != nil && v.State != nil && !json.Valid(v.State) {
				t.Error("state that is no JSON")
			}
		case kindCommand, kindUnknown:
		default:
			t.Errorf("%q", in.Kind)
		}
		if s := fmt.Sprintf("%+v", in); s != shyMark {
			t.Error("it shows")
		}
		laneOf(in)
	})
}

func FuzzDecodeHTTP(f *testing.F) {
	for _, media := range []string{"application/json", formType, formType + "; charset=utf-8", "x"} {
		for _, body := range []string{`{"type":"url_verification","challenge":"c"}`, `{"type":"event_callback","event":{"type":"message"}}`, "payload=%7B%22type%22%3A%22shortcut%22%7D", "command=%2Fweerklank&text=x&user_id=U", "ssl_check=1", "%", ""} {
			f.Add(media, []byte(body))
		}
	}
	f.Fuzz(func(t *testing.T, media string, body []byte) {
		in, challenge, ok := decodeHTTP(media, body)
		if challenge != "" && in.Kind != kindChallenge || in.Kind != kindUnknown && in.Kind != kindInteraction && !ok {
			t.Errorf("%q %v", in.Kind, ok)
		}
		laneOf(in)
	})
}

// What is read of a message is what was written, and nothing is lost to what else is there.
func FuzzMessageIsKept(f *testing.F) {
	f.Add("het is druk", "U1", "D1", []byte(`[{"type":"hologram"}]`))
	f.Add("a \u2028 \" \\ b", "W1", "D2", []byte(`7`))
	f.Fuzz(func(t *testing.T, text, user, channel string, odd []byte) {
		if !json.Valid(odd) {
			return
		}
		written, err := json.Marshal(map[string]any{"type": "message", "text": text, "user": user, "channel": channel, "blocks": json.RawMessage(odd), "attachments": json.RawMessage(odd)})
		if err != nil {
			return
		}
		in := decodeEnvelope([]byte(`{"type":"events_api","envelope_id":"e","payload":{"type":"event_callback","event":` + string(written) + `}}`)).inbound()
		m := in.Event.Message
		if m == nil {
			t.Fatal("lost")
		}
		valid := func(s string) string { return strings.ToValidUTF8(s, "\ufffd") }
		same := func(got, want string) bool {
			return got == want || strings.Count(got, "\ufffd") > 0 && valid(want) != want
		}
		if !same(string(m.Text), text) || !same(m.User.Reveal(), user) || !same(m.Channel, channel) {
			t.Error("changed")
		}
	})
}
