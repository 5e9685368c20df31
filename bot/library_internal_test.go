package bot

import (
	"context"

	"github.com/weerklank/weerklank/prompts"
)

// InForce is the library that rounds are chosen from.
func (b *Bot) InForce(ctx context.Context) (prompts.Library, error) { return b.library(ctx) }

// AddProposal stores what a member brought.
func (b *Bot) AddProposal(ctx context.Context, p prompts.Prompt, allow func([]prompts.Prompt) error) error {
	return b.addProposal(ctx, p, allow)
}
