package bot

import (
	"context"

	"github.com/weerklank/weerklank/prompts"
)

// InForce is the library that rounds are chosen from.
func (b *Bot) InForce(ctx context.Context) (prompts.Library, error) { return b.library(ctx) }
