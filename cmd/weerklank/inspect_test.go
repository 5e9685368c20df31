package main

import (
	"bytes"
	"crypto/rand"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/weerklank/weerklank/bot"
)

// What verify says of a box that is not sealed holds nothing of what it read there, in both languages, whether the bot
// runs or not (TRUST A30).
func TestVerifyPrintsNoContent(t *testing.T) {
	const secret = "GEHEIME-WOORDEN van iemand uit het team"
	dir := t.TempDir()
	p, _ := buildIn(t, dir)
	ctx := t.Context()
	id := bot.RoundID(rand.Text())
	err := p.db.UpdateTeam(ctx, "workspace:x", func(t *bot.Team) (bot.Also, error) { return bot.Also{}, nil })
	if err == nil {
		err = p.keys.Create(ctx, bot.KeySlot{Name: string(id) + ".ballot", Key: []byte(secret)})
	}
	if err == nil {
		closes := time.Now().Add(time.Hour)
		err = p.db.PlanRound(ctx, bot.Round{ID: id, Team: "workspace:x", Kind: bot.RoundQuestion, State: bot.RoundOpen, Due: closes, Closes: closes}, func(*bot.Team) (bot.Also, error) { return bot.Also{}, nil })
	}
	for i, text := range []string{secret, secret + " en meer"} {
		if err == nil {
			err = p.db.Cast(ctx, id, bot.Address{byte(i)}, func(bot.Slip) (bot.Slip, error) { return bot.Slip{Ballot: []byte(text)}, nil })
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(t.TempDir(), "c.toml")
	if err := os.WriteFile(config, []byte("data_dir = "+`"`+dir+`"`+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	verify := func(lang string, want ...string) {
		t.Helper()
		var out bytes.Buffer
		code := run(ctx, []string{"verify", "--config", config}, func(key string) (string, bool) { return lang, key == "LANG" }, strings.NewReader(""), &out, &out)
		if code != exitFailure || strings.Contains(out.String(), "GEHEIM") || strings.Contains(out.String(), "iemand uit") {
			t.Errorf("exit code %d:\n%s", code, out.String())
		}
		for _, w := range want {
			if !strings.Contains(out.String(), w) {
				t.Errorf("%q is not said:\n%s", w, out.String())
			}
		}
	}
	l := newListeners(ctx, p.log, func(error) {})
	if _, err := l.add("control socket", "unix", filepath.Join(dir, controlSocket), p.control()); err != nil {
		t.Fatal(err)
	}
	verify("en", "Something that must be sealed can be read (2)", "Sealed replies differ in length (1)")
	l.closeIntake(ctx)
	if err := l.close(ctx); err != nil {
		t.Error(err)
	}
	os.Remove(filepath.Join(dir, controlSocket))
	if err := p.close(); err != nil {
		t.Fatal(err)
	}
	verify("nl_NL.UTF-8", "Iets dat op slot moet zijn, is te lezen (2)", "verschillen in lengte (1)")
}
