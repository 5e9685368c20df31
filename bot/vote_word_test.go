package bot_test

import (
	"context"
	"strings"
	"testing"

	"github.com/weerklank/weerklank/bot"
)

// A vote is given by its word too, where buttons cannot be shown.
func TestTypedVote(t *testing.T) {
	w := newWorld(t, func(o *bot.Options) { o.Activation = "announced" })
	defer w.close()
	ctx := context.Background()
	says := func(person, text, want string) {
		t.Helper()
		_, r, err := w.fake.Type(ctx, person, text)
		if err != nil || !strings.Contains(plain(r), want) {
			t.Errorf("%s: %v, %q", text, err, plain(r))
		}
	}
	says("p2", "Ik doe mee", "geen open vraag")
	w.switchOn(crew, nil)
	vote := w.votes(bot.RoundJoin)[0]
	says("p2", "Ik doe mee.", "Genoteerd, zonder naam: Ik doe mee")
	says("p2", "rather not", "Genoteerd, zonder naam: Liever niet")
	says("p3", "weerklank ik doe mee", "Genoteerd, zonder naam: Ik doe mee")
	says("p4", "stoppen", "geen open vraag") // a choice of another vote
	says("p5", "ik doe mee als het mag", "geen open vraag")
	if box, err := w.db.Box(ctx, vote.ID); err != nil || len(box) != 2 {
		t.Errorf("%d votes, %v", len(box), err)
	}
}

// While a question is open the word alone may be an answer.
func TestTypedVoteOrAnswer(t *testing.T) {
	w, _ := openWorld(t, 8)
	defer w.close()
	_, r, err := w.fake.Type(context.Background(), "p2", "Stoppen")
	if err != nil || !strings.Contains(plain(r), "Wat mag ik ermee doen?") {
		t.Errorf("%v, %q", err, plain(r))
	}
}
