package mattermost

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/weerklank/weerklank/bot"
)

var testSecret = []byte(strings.Repeat("k", minSecret))

func testSigner(t testing.TB) *signer {
	t.Helper()
	s, err := newSigner(testSecret)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSecretIsLong(t *testing.T) {
	if _, err := newSigner(testSecret[1:]); err == nil {
		t.Error("a secret of 31 bytes was taken")
	}
}

func TestTokens(t *testing.T) {
	s, now := testSigner(t), time.Now()
	press := pressContext{Version: signVersion, Team: "mattermost:c", Offer: offer{Do: "vote", Round: "R", Arg: "yes", Label: "Ik doe mee"}, Key: "k", Until: now.Add(time.Hour).Unix()}
	token := s.signPress(press)
	if got, err := s.readPress(token, now); err != nil || got != press {
		t.Fatalf("%+v, %v", got, err)
	}
	state := dialogState{Version: signVersion, Step: stepForm, Channel: "c", Lang: "nl", Form: "reply", State: "R.1.2",
		Fields: []fieldSpec{{Name: "stance", Kind: bot.FieldOne, Options: []string{"a"}}}, Nonce: "n", Until: now.Add(dialogLife).Unix()}
	dialog := s.signDialog("u1", state)
	if got, err := s.readDialog("u1", dialog, now); err != nil || got.Form != "reply" || got.Fields[0].Options[0] != "a" {
		t.Fatalf("%+v, %v", got, err)
	}
	other, err := newSigner([]byte(strings.Repeat("x", minSecret)))
	if err != nil {
		t.Fatal(err)
	}
	if raw, _, _ := strings.Cut(dialog, "."); strings.Contains(decoded(t, raw), "u1") {
		t.Error("the state tells for whom it is")
	}
	refused := func(what string, err error) {
		t.Helper()
		if !errors.Is(err, errForged) {
			t.Errorf("%s: %v", what, err)
		}
	}
	_, err = s.readPress(token, now.Add(2*time.Hour))
	refused("an old button", err)
	_, err = other.readPress(token, now)
	refused("another secret", err)
	_, err = s.readPress(dialog, now)
	refused("a dialog as a button", err)
	_, err = s.readDialog("u1", token, now)
	refused("a button as a dialog", err)
	_, err = s.readDialog("u2", dialog, now)
	refused("somebody else's dialog", err)
	_, err = s.readDialog("", dialog, now)
	refused("nobody's dialog", err)
	_, err = s.readDialog("u1", dialog, now.Add(dialogLife+time.Second))
	refused("an old dialog", err)
	long := state
	long.Until = now.Add(dialogLife + time.Minute).Unix()
	_, err = s.readDialog("u1", s.signDialog("u1", long), now)
	refused("a dialog that lives too long", err)
	for i := range token {
		changed := []byte(token)
		changed[i] ^= 1
		_, err = s.readPress(string(changed), now)
		refused("a changed token", err)
	}
	for _, bad := range []string{"", ".", "a.b", token + "=", token[:len(token)-1], token + "\n", "\n" + token, strings.Replace(token, ".", "\r\n.", 1), strings.Repeat("a", maxToken+1)} {
		_, err = s.readPress(bad, now)
		refused("no token", err)
	}
}

func decoded(t *testing.T, s string) string {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// FuzzReadPress: whatever comes in, only what was signed by us is read.
func FuzzReadPress(f *testing.F) {
	s := testSigner(f)
	now := time.Unix(1_800_000_000, 0)
	good := pressContext{Version: signVersion, Team: "mattermost:c", Offer: offer{Do: "why"}, Until: now.Unix() + 60}
	token := s.signPress(good)
	for _, seed := range []string{token, token + "A", "." + token, "", "e30.", strings.ToUpper(token)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		got, err := s.readPress(in, now)
		if err == nil && (in != token || got != good) {
			t.Errorf("%q was read as %+v", in, got)
		}
	})
}

// FuzzReadDialog: likewise, for a person; and content that is signed but is no state of ours does no harm.
func FuzzReadDialog(f *testing.F) {
	s := testSigner(f)
	now := time.Unix(1_800_000_000, 0)
	token := s.signDialog("u", dialogState{Version: signVersion, Step: stepConfirm, Nonce: "n", Until: now.Unix() + 60})
	for _, seed := range []string{token, token + ".", "x." + token, `{"v":1}`, `{"v":1,"n":"n","u":1800000060}`, "[]", `{"u":9223372036854775807,"v":1,"n":"n"}`} {
		f.Add("u", seed)
	}
	f.Fuzz(func(t *testing.T, user, in string) {
		if _, err := s.readDialog(user, in, now); err == nil && (in != token || user != "u") {
			t.Errorf("%q was read for %q", in, user)
		}
		if !json.Valid([]byte(in)) {
			return
		}
		signed := sign(s.dialog, user, json.RawMessage(in))
		d, err := s.readDialog(user, signed, now)
		if err == nil && (d.Nonce == "" || d.Until <= now.Unix() || d.Until > now.Add(dialogLife).Unix()) {
			t.Errorf("%s was taken", in)
		}
	})
}
