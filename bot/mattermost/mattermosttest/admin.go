package mattermosttest

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
)

// What an admin does by the API, and a person to sign in: as tests against a real server need it to make what they work with and
// to clean up after themselves.

func adminRoutes() []entry {
	return []entry{
		{"POST /api/v4/users", false, false, createUser},
		{"POST /api/v4/users/login", true, false, login},
		{"DELETE /api/v4/users/{id}", false, false, deactivateUser},
		{"POST /api/v4/users/{id}/tokens", false, false, createToken},
		{"POST /api/v4/users/tokens/revoke", false, false, revokeToken},
		{"POST /api/v4/bots", false, false, createBot},
		{"POST /api/v4/bots/{id}/disable", false, false, disableBot},
		{"POST /api/v4/teams", false, false, createTeam},
		{"DELETE /api/v4/teams/{team}", false, false, deleteTeam},
		{"POST /api/v4/teams/{team}/members", false, false, addTeamMember},
		{"PUT /api/v4/teams/{team}/members/{id}/schemeRoles", false, false, setTeamRoles},
		{"POST /api/v4/channels", false, false, createChannel},
		{"DELETE /api/v4/channels/{channel}", false, false, archiveChannel},
		{"PUT /api/v4/channels/{channel}/members/{id}/schemeRoles", false, false, setChannelRoles},
		{"DELETE /api/v4/commands/{command}", false, false, deleteCommand},
	}
}

// createUser is for admins: the server is closed to those who sign themselves up.
func createUser(s *Server, c *call) (int, any, *apiError) {
	var in struct {
		Name     string            `json:"username"`
		Email    string            `json:"email"`
		Password string            `json:"password"`
		Nickname string            `json:"nickname"`
		First    string            `json:"first_name"`
		Last     string            `json:"last_name"`
		Locale   string            `json:"locale"`
		Zone     map[string]string `json:"timezone"`
	}
	switch {
	case json.Unmarshal(c.body, &in) != nil:
		return 0, nil, badBody()
	case !s.admin(c.by):
		return 0, nil, fail(http.StatusForbidden, "api.user.create_user.no_open_server")
	case in.Name == "" || in.Name != strings.ToLower(in.Name) || len(in.Name) > 64:
		return 0, nil, fail(400, "model.user.is_valid.username.app_error")
	case !strings.Contains(in.Email, "@"):
		return 0, nil, fail(400, "model.user.is_valid.email.app_error")
	case len(in.Password) < 8 || len(in.Password) > 72:
		return 0, nil, fail(400, "model.user.is_valid.pwd.app_error")
	case s.taken(in.Name):
		return 0, nil, fail(400, "app.user.save.username_exists.app_error")
	}
	u := s.addUser(User{Name: in.Name, Nickname: in.Nickname, First: in.First, Last: in.Last, Locale: in.Locale, Zone: in.Zone["automaticTimezone"]}, false)
	u.password = in.Password
	return 201, s.userJSON(u, c.by), nil
}

func (s *Server) taken(name string) bool {
	for _, u := range s.users {
		if u.Name == name {
			return true
		}
	}
	return false
}

// login signs a person in by name and password. The token is in a header.
func login(s *Server, c *call) (int, any, *apiError) {
	var in struct {
		Login    string `json:"login_id"`
		Password string `json:"password"`
	}
	if json.Unmarshal(c.body, &in) != nil {
		return 0, nil, badBody()
	}
	for _, u := range s.users {
		if u.Name != in.Login || u.password == "" || u.password != in.Password || u.bot {
			continue
		}
		if u.deleted > 0 {
			return 0, nil, fail(401, "api.user.login.inactive.app_error")
		}
		u.tokenOf = newID()
		s.tokens[u.tokenOf] = &token{user: u.id}
		c.answer.Set("Token", u.tokenOf)
		return 200, s.userJSON(u, u.id), nil
	}
	return 0, nil, fail(401, "api.user.login.invalid_credentials_email_username")
}

// deactivateUser is for admins; people themselves need a setting that is off.
func deactivateUser(s *Server, c *call) (int, any, *apiError) {
	u := s.users[c.me("id")]
	switch {
	case u == nil:
		return 0, nil, fail(404, "app.user.missing_account.const")
	case u.id == c.by && !s.admin(c.by):
		return 0, nil, fail(http.StatusUnauthorized, "api.user.update_active.not_enable.app_error")
	case !s.admin(c.by) || u.bot:
		return 0, nil, forbidden()
	}
	u.deleted = s.now()
	for _, t := range s.tokens {
		t.revoked = t.revoked || t.user == u.id
	}
	return 200, statusOK, nil
}

// createToken makes a personal token. People may not have one here, bots may.
func createToken(s *Server, c *call) (int, any, *apiError) {
	u := s.users[c.PathValue("id")]
	switch {
	case u == nil:
		return 0, nil, fail(404, "app.user.missing_account.const")
	case !s.admin(c.by):
		return 0, nil, forbidden()
	case !u.bot:
		return 0, nil, fail(http.StatusNotImplemented, "app.user_access_token.disabled")
	}
	var in struct {
		Description string `json:"description"`
	}
	if json.Unmarshal(c.body, &in) != nil {
		return 0, nil, badBody()
	}
	made := newID()
	u.tokenOf, s.tokens[made] = made, &token{user: u.id, id: newID()}
	return 200, map[string]any{"id": s.tokens[made].id, "token": made, "user_id": u.id, "description": in.Description, "is_active": true}, nil
}

func revokeToken(s *Server, c *call) (int, any, *apiError) {
	var in struct {
		ID string `json:"token_id"`
	}
	if json.Unmarshal(c.body, &in) != nil || in.ID == "" {
		return 0, nil, badBody()
	}
	for _, t := range s.tokens {
		if t.id != in.ID {
			continue
		}
		if !s.admin(c.by) && t.user != c.by {
			return 0, nil, forbidden()
		}
		t.revoked = true
		return 200, statusOK, nil
	}
	return 0, nil, fail(404, "app.user_access_token.get_by_user.app_error")
}

func createBot(s *Server, c *call) (int, any, *apiError) {
	var in struct {
		Name        string `json:"username"`
		Title       string `json:"display_name"`
		Description string `json:"description"`
	}
	switch {
	case json.Unmarshal(c.body, &in) != nil:
		return 0, nil, badBody()
	case !s.admin(c.by):
		return 0, nil, forbidden()
	case s.settings.BotsDisabled:
		return 0, nil, fail(http.StatusForbidden, "api.bot.create_disabled")
	case s.taken(in.Name):
		return 0, nil, fail(400, "app.user.save.username_exists.app_error")
	}
	u := s.addUser(User{Name: in.Name, First: in.Title}, true)
	u.owner = c.by
	return 201, botJSON(u), nil
}

func botJSON(u *user) map[string]any {
	return map[string]any{
		"user_id": u.id, "username": u.Name, "display_name": u.First, "description": "", "owner_id": u.owner, "create_at": u.created,
		"update_at": u.created, "delete_at": u.deleted,
	}
}

func disableBot(s *Server, c *call) (int, any, *apiError) {
	u := s.users[c.PathValue("id")]
	switch {
	case u == nil || !u.bot:
		return 0, nil, fail(404, "store.sql_bot.get.missing.app_error")
	case !s.admin(c.by) && u.owner != c.by:
		return 0, nil, forbidden()
	}
	s.disable(u)
	return 200, botJSON(u), nil
}

// defaults are the channels that a new team has, and that everybody who joins it is put in, bots too.
func defaults() []string { return []string{"town-square", "off-topic"} }

// createTeam makes whoever asks its admin.
func createTeam(s *Server, c *call) (int, any, *apiError) {
	var in struct {
		Name  string `json:"name"`
		Title string `json:"display_name"`
		Type  string `json:"type"`
	}
	if json.Unmarshal(c.body, &in) != nil || s.users[c.by].bot {
		return 0, nil, badBody()
	}
	if in.Name == "" || len(in.Name) > 64 || in.Title == "" || in.Type != "O" && in.Type != "I" {
		return 0, nil, fail(400, "model.team.is_valid.characters.app_error")
	}
	for _, t := range s.teams {
		if t.name == in.Name {
			return 0, nil, fail(400, "app.team.save.existing.app_error")
		}
	}
	t := &team{id: newID(), name: in.Name, created: s.now(), members: map[string]*member{c.by: {admin: true, joined: s.now()}}}
	s.teams[t.id] = t
	for _, name := range defaults() {
		ch := &channel{
			id: newID(), team: t.id, kind: "O", name: name, title: name, created: s.now(), updated: s.now(),
			members: map[string]*member{c.by: {admin: true, joined: s.now()}},
		}
		s.channels[ch.id] = ch
	}
	return 201, s.teamJSON(t), nil
}

// runs: is u an admin of the team, or of the server.
func (s *Server) runs(u string, t *team) bool {
	return t != nil && (s.admin(u) || t.members[u] != nil && t.members[u].admin)
}

// deleteTeam archives it.
func deleteTeam(s *Server, c *call) (int, any, *apiError) {
	t := s.teams[c.PathValue("team")]
	if !s.runs(c.by, t) {
		return 0, nil, forbidden()
	}
	t.deleted = s.now()
	s.publish(event{name: "delete_team", team: t.id, data: map[string]any{"team": text(s.teamJSON(t))}})
	return 200, statusOK, nil
}

// addTeamMember: any member of a team may add somebody.
func addTeamMember(s *Server, c *call) (int, any, *apiError) {
	var in struct {
		Team string `json:"team_id"`
		User string `json:"user_id"`
	}
	t := s.teams[c.PathValue("team")]
	switch {
	case json.Unmarshal(c.body, &in) != nil || s.users[in.User] == nil || in.Team != c.PathValue("team"):
		return 0, nil, badBody()
	case t == nil || t.members[c.by] == nil && !s.admin(c.by):
		return 0, nil, forbidden()
	}
	if t.members[in.User] == nil {
		t.members[in.User] = &member{joined: s.now()}
		s.publish(event{name: "added_to_team", user: in.User, data: map[string]any{"team_id": t.id, "user_id": in.User}})
		for _, ch := range s.channels {
			if ch.team == t.id && slices.Contains(defaults(), ch.name) {
				if err := s.join(ch, in.User, c.by); err != nil {
					return 0, nil, err
				}
			}
		}
	}
	return 201, memberJSON(t.members[in.User], "team", t.id, in.User), nil
}

func setRoles(c *call, may bool, members map[string]*member) (int, any, *apiError) {
	var in struct {
		Admin bool `json:"scheme_admin"`
		User  bool `json:"scheme_user"`
	}
	m := members[c.me("id")]
	switch {
	case json.Unmarshal(c.body, &in) != nil || !in.User:
		return 0, nil, badBody()
	case !may:
		return 0, nil, forbidden()
	case m == nil:
		return 0, nil, fail(404, "app.team.get_member.missing.app_error")
	}
	m.admin = in.Admin
	return 200, statusOK, nil
}

func setTeamRoles(s *Server, c *call) (int, any, *apiError) {
	t := s.teams[c.PathValue("team")]
	if t == nil {
		return 0, nil, forbidden()
	}
	return setRoles(c, s.runs(c.by, t), t.members)
}

func setChannelRoles(s *Server, c *call) (int, any, *apiError) {
	ch := s.channels[c.PathValue("channel")]
	if ch == nil {
		return 0, nil, forbidden()
	}
	return setRoles(c, s.runs(c.by, s.teams[ch.team]) || ch.members[c.by] != nil && ch.members[c.by].admin, ch.members)
}

// createChannel makes whoever asks its admin.
func createChannel(s *Server, c *call) (int, any, *apiError) {
	var in struct {
		Team  string `json:"team_id"`
		Name  string `json:"name"`
		Title string `json:"display_name"`
		Type  string `json:"type"`
	}
	if json.Unmarshal(c.body, &in) != nil || in.Type != "O" && in.Type != "P" || in.Name == "" || in.Title == "" {
		return 0, nil, badBody()
	}
	t := s.teams[in.Team]
	if t == nil || t.members[c.by] == nil {
		return 0, nil, forbidden()
	}
	for _, ch := range s.channels {
		if ch.team == in.Team && ch.name == in.Name {
			return 0, nil, fail(400, "store.sql_channel.save_channel.exists.app_error")
		}
	}
	ch := &channel{
		id: newID(), team: in.Team, kind: in.Type, name: in.Name, title: in.Title, created: s.now(), updated: s.now(),
		members: map[string]*member{c.by: {admin: true, joined: s.now()}},
	}
	s.channels[ch.id] = ch
	return 201, s.channelJSON(ch), nil
}

// archiveChannel: any member may archive a public channel.
func archiveChannel(s *Server, c *call) (int, any, *apiError) {
	ch := s.channels[c.PathValue("channel")]
	switch {
	case ch == nil || ch.members[c.by] == nil && !s.admin(c.by):
		return 0, nil, forbidden()
	case !slices.Contains([]string{"O", "P"}, ch.kind):
		return 0, nil, fail(400, "api.channel.delete_channel.type.invalid")
	case ch.name == "town-square":
		return 0, nil, fail(400, "api.channel.delete_channel.cannot.app_error")
	case ch.deleted > 0:
		return 0, nil, fail(400, "api.channel.delete_channel.deleted.app_error")
	}
	s.archive(ch)
	return 200, statusOK, nil
}

// deleteCommand is for who made it, and those who run its team.
func deleteCommand(s *Server, c *call) (int, any, *apiError) {
	for key, x := range s.commands {
		if x.id != c.PathValue("command") {
			continue
		}
		if x.creator != c.by && !s.runs(c.by, s.teams[x.team]) || s.users[c.by].bot {
			return 0, nil, forbidden()
		}
		delete(s.commands, key)
		return 200, statusOK, nil
	}
	return 0, nil, fail(404, "store.sql_command.get.missing.app_error")
}

// Left is what an admin would find again of what was made by the API: active people and bots but those who stay, teams that are
// not archived, and slash commands.
func (s *Server) Left(stay ...string) (left []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, u := range s.users {
		if u.deleted == 0 && !slices.Contains(stay, id) {
			left = append(left, "user "+u.Name)
		}
	}
	for _, t := range s.teams {
		if t.deleted == 0 {
			left = append(left, "team "+t.name)
		}
	}
	for _, ch := range s.channels {
		if ch.deleted == 0 && ch.team != "" && !slices.Contains(defaults(), ch.name) {
			left = append(left, "channel "+ch.name)
		}
	}
	for _, c := range s.commands {
		left = append(left, "command "+c.trigger)
	}
	slices.Sort(left)
	return left
}
