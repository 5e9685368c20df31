package bot

import (
	"bytes"
	"fmt"
	"image/png"
	"strings"
	"testing"
	"time"

	"github.com/weerklank/weerklank/bot/locale"
	"github.com/weerklank/weerklank/prompts"
)

// pastRounds are rounds with content, in one of which one tension has y tags.
func pastRounds(n, y int) (out []Round) {
	for i := range n {
		tags := map[prompts.TensionID]int{"policy-practice": 4}
		if i == 3 {
			tags["quality-speed"] = y
		}
		out = append(out, Round{ID: RoundID(fmt.Sprint("r", i)), Number: i + 1, Kind: RoundQuestion, State: RoundGivenBack, Season: 1, MinReplies: 5, Opens: time.Date(2026, 9, 1+7*i, 8, 0, 0, 0, time.UTC),
			Tally: &Tally{Respondents: 9, Tagged: 9, Tags: tags}})
	}
	return out
}

func pictureIn(m Message) *Block {
	for i, b := range m.Blocks {
		if b.Kind == BlockPicture {
			return &m.Blocks[i]
		}
	}
	return nil
}

// A season is told in words, in signs and in a picture; what the cells hide is not in the picture either.
func TestSeasonHasItsPicture(t *testing.T) {
	lib, err := prompts.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	team := Team{Season: 1, Settings: Settings{Zone: "Europe/Amsterdam"}}
	for _, lang := range prompts.Langs() {
		seen := map[string]int{}
		for y := range 6 {
			m := seasonNow(team, pastRounds(12, y), &lib, lang, nil, nil)
			p := pictureIn(m)
			if p == nil {
				t.Fatal("no picture")
			}
			if _, err := png.Decode(bytes.NewReader(p.PNG)); err != nil {
				t.Fatal(err)
			}
			if alt := spansText(p.Spans); !strings.Contains(alt, lib.Tensions[0].Label.In(lang)+", "+locale.Text(lang, "season.word-often")+": ") {
				t.Errorf("nobody hears of it:\n%s", alt)
			}
			text := Message{Lang: lang}
			for _, b := range m.Blocks {
				if b.Kind != BlockPicture {
					text.Blocks = append(text.Blocks, b)
				}
			}
			if text.Plain() != Season(team, pastRounds(12, y), &lib, lang).Plain() {
				t.Error("the text version is not whole")
			}
			seen[fmt.Sprintf("%x %s", p.PNG, spansText(p.Spans))]++
		}
		if len(seen) != 2 {
			t.Errorf("%d pictures for zero to five tags, want two: under three, and three or more", len(seen))
		}
		if m := seasonNow(team, nil, &lib, lang, nil, nil); pictureIn(m) != nil {
			t.Error("a picture of nothing")
		}
	}
}
