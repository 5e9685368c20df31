package bot

import (
	"context"
	"errors"

	"github.com/weerklank/weerklank/prompts"
)

// invited introduces the bot in a channel that it was added to: what it is, that nothing happens by itself, and how it is
// switched on. Once per channel, and once more when it comes back after the channel was gone.
func (b *Bot) invited(ctx context.Context, e Invited) error {
	err := b.o.Store.UpdateTeam(ctx, e.Team, func(t *Team) (Also, error) {
		var id PostID
		switch t.State {
		case "":
			t.State, t.Name, t.Settings = TeamOff, e.Chan, b.o.Team
			if e.Lang != "" {
				t.Settings.Lang = e.Lang
			}
			id = PostID(t.ID) + "/introduction"
		case TeamGone:
			if !e.At.IsZero() && !e.At.After(t.Steered) { // told late: a manager acted here since
				return Also{}, errSame
			}
			t.State = TeamOff
			id = t.actPost("back")
		default:
			return Also{}, errSame
		}
		return Also{Posts: []Post{b.say(t.ID, id, introduction(t.Settings.Lang), e.At)}}, nil
	})
	if errors.Is(err, errSame) {
		return nil
	}
	b.wake(b.wakeSender)
	return err
}

// introduction is the first that a channel hears of the bot.
func introduction(lang prompts.Lang) Message {
	say := sayer(lang)
	return Message{Lang: lang, Blocks: []Block{
		Text(Span{Text: say("team.introduction")}),
		Text(Span{Text: say("team.introduction-how")}),
		{Kind: BlockActions, Actions: []Action{
			{Do: "on", Label: say("team.introduction-on"), Typed: say("team.introduction-on-word")},
			{Do: "help", Label: say("team.announce-help"), Typed: "help"},
		}},
	}}
}
