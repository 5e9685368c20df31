package mattermost

import (
	"context"
	"errors"
	"net/http"
	"strings"
)

// Resolve returns the user ids of people by the names they log in with. Names that nobody active has are left out.
func (a *Adapter) Resolve(ctx context.Context, names []string) (map[string]string, error) {
	ids := map[string]string{}
	for _, name := range names {
		u, r, err := a.rest.GetUserByUsername(ctx, strings.ToLower(name), "")
		switch code := statusOf(r); {
		case code == http.StatusNotFound || code == http.StatusBadRequest: // nobody, or a name that nobody can have
		case code != http.StatusOK || err != nil || u == nil:
			return nil, errors.New("mattermost: the server could not be asked for people by name")
		case u.DeleteAt == 0 && !u.IsBot:
			ids[name] = u.Id
		}
	}
	return ids, nil
}
