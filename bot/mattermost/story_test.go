package mattermost_test

import (
	"context"
	"strings"
	"testing"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/bot/mattermost/mattermosttest"
	"github.com/weerklank/weerklank/prompts"
)

// words are what people type and read in a language.
type words struct {
	on, open, heard, share, kept, withdraw, gone, wrong string
	fill                                                []string
}

var spoken = map[prompts.Lang]words{
	prompts.Dutch: {
		on: "aan", open: "Antwoord", heard: "Terugblik", share: "2", kept: "Bewaard", withdraw: "trek in", gone: "ingetrokken", wrong: "Nog niet goed",
		fill: []string{"Bij wie kan iemand terecht?:", "Bij wie kan iemand terecht?: Noor", "Meedoen mag in werktijd.: nee", "Meedoen mag in werktijd.: ja"},
	},
	prompts.English: {
		on: "on", open: "Answer", heard: "Looking back", share: "2", kept: "Kept", withdraw: "withdraw", gone: "withdrawn", wrong: "Not right yet",
		fill: []string{"Who can someone turn to?:", "Who can someone turn to?: Noor", "Taking part is allowed in working time.: no", "Taking part is allowed in working time.: yes"},
	},
}

func block(text string) string {
	_, rest, _ := strings.Cut(text, "```\n")
	lines, _, _ := strings.Cut(rest, "\n```")
	return lines
}

// A whole round by typed words alone, as it is without a callback listener: switching on, asking, answering, changing,
// withdrawing, closing and giving back.
func TestRoundInWords(t *testing.T) {
	for lang, say := range spoken {
		for _, version := range []mattermosttest.Version{mattermosttest.V9, mattermosttest.V11} {
			t.Run(string(lang)+" "+version.String(), func(t *testing.T) {
				w := newWorld(t, version, lang, false)
				defer func() { w.stop() }()
				ctx := context.Background()
				if _, err := w.chat.after(ctx, func() string { return w.s.Mention(w.boss, w.crew, say.on) }); err != nil {
					t.Fatal(err)
				}
				form := w.answer(w.boss, 0)
				lines := strings.NewReplacer(say.fill...).Replace(block(form))
				if r := w.says(w.boss, "```\n"+lines+"\n```"); strings.Contains(r, say.wrong) || r == form {
					t.Fatalf("switching on: %s", r)
				}
				team, err := w.db.Team(ctx, bot.TeamID("mattermost:"+w.crew))
				if err != nil || team.State != bot.TeamOn {
					t.Fatal(team.State, err)
				}
				w.opens()
				asked := w.s.Posts(w.crew)
				prompt := asked[len(asked)-1]
				if prompt.User != w.me || len(prompt.Buttons()) > 0 {
					t.Fatalf("no question without buttons: %s", prompt.Text)
				}
				for i, who := range w.people[:7] {
					w.says(who, "Ik kijk eerst wie er staat, en dan pas naar de regel. Nummer "+string(rune('A'+i)))
					w.says(who, say.share)
				}
				w.says(w.people[6], say.withdraw)
				// An edit counts until closing.
				last := w.s.DMs(w.people[5])
				for _, p := range last {
					if p.User == w.people[5] && strings.Contains(p.Text, "Nummer F") {
						if _, err := w.chat.after(ctx, func() string { w.s.Edit(p.ID, "Gewijzigd woord voor woord"); return "" }); err != nil {
							t.Fatal(err)
						}
					}
				}
				team, _ = w.db.Team(ctx, team.ID)
				round, err := w.db.Round(ctx, team.Open)
				if err != nil {
					t.Fatal(err)
				}
				w.until(round.Closes)
				w.until(round.GivesBack)
				w.until(round.GivesBack)
				round, _ = w.db.Round(ctx, round.ID)
				if round.State != bot.RoundGivenBack {
					t.Errorf("the round is %s", round.State)
				}
				all := w.s.Posts(w.crew)
				text := ""
				for _, p := range all {
					text += p.Text + "\n\n"
				}
				for what, want := range map[string]bool{"Gewijzigd": true, "Nummer A": true, "Nummer F": false, "Nummer G": false} {
					if strings.Contains(text, what) != want {
						t.Errorf("%q given back: %v", what, !want)
					}
				}
				if t.Failed() {
					for _, p := range w.s.DMs(w.people[0]) {
						t.Log(p.Text)
					}
					t.Log(w.log.String())
					t.Log(text)
				}
			})
		}
	}
}
