package bot

import (
	"context"

	"github.com/weerklank/weerklank/prompts"
)

// Entrance is a port: the library on the web. Without one the library is kept in chat and in files.
type Entrance interface {
	// Link makes a link with which the editor, and nobody else, signs in once and soon. It is sent in private. lang is the
	// language of the editor's account.
	Link(ctx context.Context, editor ActorID, lang prompts.Lang) (string, error)
}

// libraryLink says in private how an editor gets to the library on the web; nothing without one.
func (b *Bot) libraryLink(ctx context.Context, f From) ([]Block, error) {
	if b.o.Entrance == nil {
		return nil, nil
	}
	url, err := b.o.Entrance.Link(ctx, f.User.Actor(), f.Lang)
	if err != nil {
		return nil, err
	}
	say := sayer(f.Lang)
	return []Block{Text(Rich(say("cmd.library-web"))...), Link(say("cmd.library-open"), url), Note(say("cmd.library-web-once"))}, nil
}
