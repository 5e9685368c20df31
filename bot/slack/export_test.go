package slack

import "context"

// Self asks who the bot is, as the first call of Run does.
func (a *Adapter) Self(ctx context.Context) (string, error) {
	me, err := a.self(ctx)
	if err != nil {
		return "", err
	}
	return me.UserID, nil
}
