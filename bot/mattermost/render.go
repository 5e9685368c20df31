package mattermost

import (
	"github.com/mattermost/mattermost/server/public/model"

	"github.com/weerklank/weerklank/bot"
)

// render makes a post of what the bot says. direct: in a conversation with one person, where no buttons work.
func (a *Adapter) render(m bot.Message, direct bool, key string) (*model.Post, error) {
	return &model.Post{Message: m.Plain()}, nil
}
