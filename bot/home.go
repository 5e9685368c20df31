package bot

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/weerklank/weerklank/bot/locale"
)

// home is a person's page of the bot, where a platform has one (DESIGN 5): the open rounds of their channels, what is known
// about them, help, and for managers their channels. It is the same for who answered and who did not (TRUST 6), and holds
// nothing of others.
func (b *Bot) home(ctx context.Context, f From) (Response, error) {
	say := sayer(f.Lang)
	m := Message{Lang: f.Lang, Blocks: []Block{Heading(say("home.title")), Text(Rich(say("home.intro"))...)}}
	channels, err := b.channelsOf(ctx, f.User)
	if err != nil {
		return say.message("common.later"), err
	}
	var open []*box
	var teams []Team
	for _, id := range channels {
		t, err := b.o.Store.Team(ctx, id)
		if errors.Is(err, ErrNotFound) {
			continue
		}
		if err != nil {
			return say.message("common.later"), err
		}
		teams = append(teams, t)
		for _, id := range t.asks() {
			if bx, err := b.boxOf(ctx, id); err == nil && !bx.round.Opens.After(f.At.Add(clockSlack)) && bx.round.Closes.After(f.At) {
				open = append(open, bx)
			}
		}
	}
	slices.SortFunc(open, func(x, y *box) int {
		return cmp.Or(x.round.Closes.Compare(y.round.Closes), cmp.Compare(x.round.Team, y.round.Team), cmp.Compare(x.round.ID, y.round.ID))
	})
	for _, bx := range open {
		r := bx.round
		actions := []Action{{Do: "answer", Round: r.ID, Label: say("round.answer"), Main: true}}
		if r.Kind == RoundQuestion {
			actions = append(actions, Action{Do: "why", Round: r.ID, Label: say("round.why"), Typed: say("round.why-word")})
		}
		m.Blocks = append(m.Blocks,
			Text(Span{Text: bx.name(f.Lang), Strong: true}, Span{Text: "\n" + r.Prompt.In(f.Lang).Question}),
			Note(say("home.open-until", "closing", locale.Moment(f.Lang, r.Closes.In(zoneOf(r.Zone))))),
			Block{Kind: BlockActions, Actions: actions})
	}
	if len(open) == 0 {
		m.Blocks = append(m.Blocks, Text(Span{Text: say("home.nothing-open")}))
	}
	m.Blocks = append(m.Blocks, Block{Kind: BlockActions, Actions: []Action{
		{Do: "me", Label: say("team.announce-me"), Typed: say("team.announce-me-word")},
		{Do: "help", Label: say("team.announce-help"), Typed: "help"},
		{Do: "propose", Label: say("propose.form-title"), Typed: say("propose.word")},
		{Do: "remove", Label: say("reply.remove-title"), Typed: say("reply.remove-word")},
	}}, Note(say("home.typed")))
	managed, err := b.managedHome(ctx, f, teams)
	if err != nil {
		return say.message("common.later"), err
	}
	m.Blocks = append(m.Blocks, managed...)
	return Response{Message: &m}, nil
}

// mostManaged bounds a home page's channels, so that it stays one page.
const mostManaged = 10

// managedHome is the part for who manages channels: how each stands, and the questions about posts of which it is unknown
// whether they arrived.
func (b *Bot) managedHome(ctx context.Context, f From, teams []Team) ([]Block, error) {
	say := sayer(f.Lang)
	var blocks []Block
	shown := 0
	for _, t := range teams {
		if ok, err := b.manages(ctx, f, t); err != nil || !ok {
			if err != nil {
				return nil, err
			}
			continue
		}
		if shown++; shown > mostManaged {
			blocks = append(blocks, Note(say("home.more")))
			break
		}
		r, err := b.status(ctx, f, t)
		if err != nil || r.Message == nil {
			return nil, err
		}
		do, label, word := "settings", say("team.form-settings"), say("home.settings-word")
		if t.State == TeamOff || t.State == TeamGone {
			do, label, word = "on", say("team.introduction-on"), say("team.introduction-on-word")
		}
		blocks = append(blocks, Heading(cmp.Or(t.Name, string(t.ID))))
		blocks = append(blocks, r.Message.Blocks...)
		blocks = append(blocks, Block{Kind: BlockActions, Actions: []Action{{Do: do, Arg: string(t.ID), Label: label, Typed: word}}})
	}
	return blocks, nil
}
