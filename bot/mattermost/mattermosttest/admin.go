package mattermosttest

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
)

// adminRoutes is what tests use that set a world up by the API only, so that they run on a real server too.
func adminRoutes() []entry {
	return []entry{
		{"POST /api/v4/users", false, false, asAdmin(createUser)},
		{"POST /api/v4/users/login", true, false, login},
		{"POST /api/v4/users/logout", false, false, logout},
		{"GET /api/v4/users/stats", false, false, asAdmin(getStats)},
		{"POST /api/v4/users/{id}/{of}", false, false, asAdmin(tokensOfUser)},
		{"PUT /api/v4/users/{id}/patch", false, false, asAdmin(patchUser)},
		{"PUT /api/v4/users/{id}/roles", false, false, asAdmin(setRoles)},
		{"PUT /api/v4/users/{id}/active", false, false, asAdmin(setActive)},
		{"DELETE /api/v4/users/{id}", false, false, asAdmin(setActive)},
		{"POST /api/v4/bots", false, false, asAdmin(createBot)},
		{"POST /api/v4/bots/{id}/{what}", false, false, asAdmin(switchBot)},
		{"POST /api/v4/teams", false, false, asAdmin(createTeam)},
		{"DELETE /api/v4/teams/{team}", false, false, asAdmin(deleteTeam)},
		{"POST /api/v4/teams/{team}/members", false, false, addTeamMember},
		{"DELETE /api/v4/teams/{team}/members/{id}", false, false, asAdmin(removeTeamMember)},
		{"PUT /api/v4/teams/{team}/members/{id}/schemeRoles", false, false, asAdmin(setTeamRoles)},
		{"POST /api/v4/channels", false, false, createChannel},
		{"PUT /api/v4/channels/{channel}/patch", false, false, patchChannel},
		{"DELETE /api/v4/channels/{channel}", false, false, deleteChannel},
		{"POST /api/v4/channels/{channel}/restore", false, false, asAdmin(restoreChannel)},
		{"PUT /api/v4/channels/{channel}/members/{id}/schemeRoles", false, false, asAdmin(setChannelRoles)},
		{"GET /api/v4/commands", false, false, listCommands},
		{"DELETE /api/v4/commands/{command}", false, false, deleteCommand},
		{"GET /api/v4/config", false, false, asAdmin(getFullConfig)},
	}
}

func asAdmin(do route) route {
	return func(s *Server, c *call) (int, any, *apiError) {
		if !s.admin(c.by) {
			return 0, nil, forbidden()
		}
		return do(s, c)
	}
}

func (c *call) decode(into any) bool { return json.Unmarshal(c.body, into) == nil }

func (s *Server) byName(name string) *user {
	for _, u := range s.users {
		if u.Name == name {
			return u
		}
	}
	return nil
}

type userIn struct {
	Username  string            `json:"username"`
	Email     string            `json:"email"`
	Password  string            `json:"password"`
	Nickname  *string           `json:"nickname"`
	FirstName *string           `json:"first_name"`
	LastName  *string           `json:"last_name"`
	Locale    *string           `json:"locale"`
	Timezone  map[string]string `json:"timezone"`
}

// onto writes what is given.
func (in *userIn) onto(u *User) {
	for _, x := range []struct{ from, to *string }{
		{in.Nickname, &u.Nickname}, {in.FirstName, &u.First}, {in.LastName, &u.Last}, {in.Locale, &u.Locale},
	} {
		if x.from != nil {
			*x.to = *x.from
		}
	}
	if in.Timezone != nil {
		u.ZoneByHand = in.Timezone["useAutomaticTimezone"] == "false"
		u.Zone = in.Timezone["automaticTimezone"]
		if u.ZoneByHand {
			u.Zone = in.Timezone["manualTimezone"]
		}
	}
}

func createUser(s *Server, c *call) (int, any, *apiError) {
	var in userIn
	switch {
	case !c.decode(&in) || in.Username == "" || in.Username != strings.ToLower(in.Username) || in.Email == "" || len(in.Password) < 5:
		return 0, nil, badBody()
	case s.byName(in.Username) != nil:
		return 0, nil, fail(400, "app.user.save.username_exists.app_error")
	}
	u := User{Name: in.Username, Password: in.Password}
	in.onto(&u)
	return 201, s.userJSON(s.addUser(u, false), c.by), nil
}

func patchUser(s *Server, c *call) (int, any, *apiError) {
	u := s.users[c.me("id")]
	var in userIn
	if u == nil || !c.decode(&in) {
		return 0, nil, badBody()
	}
	in.onto(&u.User)
	return 200, s.userJSON(u, c.by), nil
}

func login(s *Server, c *call) (int, any, *apiError) {
	var in struct {
		Login    string `json:"login_id"`
		ID       string `json:"id"`
		Password string `json:"password"`
	}
	if !c.decode(&in) {
		return 0, nil, badBody()
	}
	u := s.byName(in.Login)
	if u == nil {
		u = s.byName(strings.TrimSuffix(in.Login, "@example.org"))
	}
	if u == nil {
		u = s.users[in.ID]
	}
	if u == nil || u.bot || u.deleted > 0 || u.Password == "" || u.Password != in.Password {
		return 0, nil, fail(http.StatusUnauthorized, "api.user.login.invalid_credentials_email_username")
	}
	c.login = newID()
	s.tokens[c.login] = &token{id: newID(), user: u.id}
	return 200, s.userJSON(u, u.id), nil
}

func logout(s *Server, c *call) (int, any, *apiError) {
	s.tokens[c.token].revoked = true
	return 200, statusOK, nil
}

func getStats(s *Server, _ *call) (int, any, *apiError) {
	n := 0
	for _, u := range s.users {
		if u.deleted == 0 && !u.bot {
			n++
		}
	}
	return 200, map[string]int{"total_users_count": n}, nil
}

// tokensOfUser makes a token, or revokes one: two routes that the table of paths cannot tell apart.
func tokensOfUser(s *Server, c *call) (int, any, *apiError) {
	var in struct {
		Description string `json:"description"`
		ID          string `json:"token_id"`
	}
	if !c.decode(&in) {
		return 0, nil, badBody()
	}
	u := s.users[c.PathValue("id")]
	switch {
	case c.PathValue("id") == "tokens" && c.PathValue("of") == "revoke":
		for _, t := range s.tokens {
			if t.id == in.ID {
				t.revoked = true
			}
		}
		return 200, statusOK, nil
	case u != nil && c.PathValue("of") == "tokens":
		t := &token{id: newID(), user: u.id}
		secret := newID()
		s.tokens[secret] = t
		return 200, map[string]any{"id": t.id, "token": secret, "user_id": u.id, "description": in.Description, "is_active": true}, nil
	}
	return 0, nil, fail(404, "api.context.404.app_error")
}

func setRoles(s *Server, c *call) (int, any, *apiError) {
	var in struct {
		Roles string `json:"roles"`
	}
	u := s.users[c.me("id")]
	if u == nil || !c.decode(&in) {
		return 0, nil, badBody()
	}
	u.SystemAdmin = slices.Contains(strings.Fields(in.Roles), "system_admin")
	return 200, statusOK, nil
}

// setActive is also the end of an account, without a body.
func setActive(s *Server, c *call) (int, any, *apiError) {
	var in struct {
		Active bool `json:"active"`
	}
	u := s.users[c.me("id")]
	if u == nil || c.Method == http.MethodPut && !c.decode(&in) {
		return 0, nil, badBody()
	}
	u.deleted = 0
	if !in.Active {
		u.deleted = s.now()
	}
	return 200, statusOK, nil
}

func createBot(s *Server, c *call) (int, any, *apiError) {
	if s.settings.BotsDisabled {
		return 0, nil, fail(403, "api.bot.create_disabled")
	}
	var in struct {
		Username    string `json:"username"`
		DisplayName string `json:"display_name"`
	}
	if !c.decode(&in) || in.Username == "" {
		return 0, nil, badBody()
	}
	if s.byName(in.Username) != nil {
		return 0, nil, fail(400, "app.user.save.username_exists.app_error")
	}
	u := s.addUser(User{Name: in.Username, First: in.DisplayName}, true)
	u.owner = c.by
	return 201, botJSON(u), nil
}

func botJSON(u *user) map[string]any {
	return map[string]any{
		"user_id": u.id, "username": u.Name, "display_name": u.First, "owner_id": u.owner,
		"create_at": u.created, "update_at": u.created, "delete_at": u.deleted,
	}
}

func switchBot(s *Server, c *call) (int, any, *apiError) {
	u := s.users[c.PathValue("id")]
	switch {
	case u == nil || !u.bot:
		return 0, nil, fail(404, "store.sql_bot.get.missing.app_error")
	case c.PathValue("what") == "disable":
		s.disable(u)
	case c.PathValue("what") == "enable":
		u.deleted = 0
	default:
		return 0, nil, fail(404, "api.context.404.app_error")
	}
	return 200, botJSON(u), nil
}

func createTeam(s *Server, c *call) (int, any, *apiError) {
	var in struct {
		Name string `json:"name"`
	}
	if !c.decode(&in) || in.Name == "" {
		return 0, nil, badBody()
	}
	t := s.addTeam(in.Name)
	t.members[c.by] = &member{joined: s.now(), admin: true}
	return 201, s.teamJSON(t), nil
}

// deleteTeam archives: what is in it is out of reach.
func deleteTeam(s *Server, c *call) (int, any, *apiError) {
	t := s.teams[c.PathValue("team")]
	if t == nil {
		return 0, nil, fail(404, "app.team.get.find.app_error")
	}
	for id := range t.members {
		s.leaveTeam(t, id)
	}
	return 200, statusOK, nil
}

func addTeamMember(s *Server, c *call) (int, any, *apiError) {
	var in struct {
		UserID string `json:"user_id"`
	}
	t, err := s.teamFor(c)
	if err != nil {
		return 0, nil, err
	}
	if !c.decode(&in) || s.users[in.UserID] == nil {
		return 0, nil, badBody()
	}
	s.joinTeam(t, in.UserID)
	return 201, memberJSON(t.members[in.UserID], "team", t.id, in.UserID), nil
}

func removeTeamMember(s *Server, c *call) (int, any, *apiError) {
	t := s.teams[c.PathValue("team")]
	if t == nil || t.members[c.me("id")] == nil {
		return 0, nil, fail(404, "app.team.get_member.missing.app_error")
	}
	s.leaveTeam(t, c.me("id"))
	return 200, statusOK, nil
}

func setMember(c *call, m *member) (int, any, *apiError) {
	var in struct {
		Admin bool `json:"scheme_admin"`
	}
	if m == nil || !c.decode(&in) {
		return 0, nil, badBody()
	}
	m.admin = in.Admin
	return 200, statusOK, nil
}

func setTeamRoles(s *Server, c *call) (int, any, *apiError) {
	t := s.teams[c.PathValue("team")]
	if t == nil {
		return 0, nil, fail(404, "app.team.get.find.app_error")
	}
	return setMember(c, t.members[c.me("id")])
}

func setChannelRoles(s *Server, c *call) (int, any, *apiError) {
	ch := s.channels[c.PathValue("channel")]
	if ch == nil {
		return 0, nil, fail(404, "app.channel.get.existing.app_error")
	}
	return setMember(c, ch.members[c.me("id")])
}

// createChannel makes the maker its admin.
func createChannel(s *Server, c *call) (int, any, *apiError) {
	var in struct {
		Team  string `json:"team_id"`
		Name  string `json:"name"`
		Title string `json:"display_name"`
		Type  string `json:"type"`
	}
	if !c.decode(&in) || in.Name == "" || in.Title == "" || in.Type != "O" && in.Type != "P" {
		return 0, nil, badBody()
	}
	if t := s.teams[in.Team]; t == nil || t.members[c.by] == nil && !s.admin(c.by) {
		return 0, nil, forbidden()
	}
	ch := s.newChannel(in.Team, in.Type, in.Name, in.Title)
	ch.members[c.by] = &member{joined: s.now(), admin: true}
	return 201, s.channelJSON(ch), nil
}

// mine is a channel of which by is a member, or any for an admin.
func (s *Server) mine(c *call) (*channel, *apiError) {
	ch := s.channels[c.PathValue("channel")]
	if ch == nil || ch.team == "" || ch.members[c.by] == nil && !s.admin(c.by) {
		return nil, forbidden()
	}
	return ch, nil
}

func patchChannel(s *Server, c *call) (int, any, *apiError) {
	var in struct {
		Title *string `json:"display_name"`
	}
	ch, err := s.mine(c)
	if err != nil {
		return 0, nil, err
	}
	if !c.decode(&in) {
		return 0, nil, badBody()
	}
	if in.Title != nil {
		s.rename(ch, *in.Title)
	}
	return 200, s.channelJSON(ch), nil
}

func deleteChannel(s *Server, c *call) (int, any, *apiError) {
	ch, err := s.mine(c)
	if err != nil {
		return 0, nil, err
	}
	s.archive(ch)
	return 200, statusOK, nil
}

func restoreChannel(s *Server, c *call) (int, any, *apiError) {
	ch, err := s.mine(c)
	if err != nil {
		return 0, nil, err
	}
	s.restore(ch)
	return 200, s.channelJSON(ch), nil
}

func commandJSON(x *cmd) map[string]any {
	return map[string]any{
		"id": x.id, "token": x.token, "create_at": x.created, "update_at": x.created, "delete_at": 0, "creator_id": x.creator, "team_id": x.team,
		"trigger": x.trigger, "method": "P", "url": x.url,
	}
}

func listCommands(s *Server, c *call) (int, any, *apiError) {
	t := s.teams[c.query.Get("team_id")]
	if t == nil || !s.admin(c.by) && (t.members[c.by] == nil || !t.members[c.by].admin) {
		return 0, nil, forbidden()
	}
	list := []any{}
	for _, x := range s.commands {
		if x.team == t.id {
			list = append(list, commandJSON(x))
		}
	}
	return 200, list, nil
}

func deleteCommand(s *Server, c *call) (int, any, *apiError) {
	for key, x := range s.commands {
		if x.id == c.PathValue("command") && (s.admin(c.by) || x.creator == c.by) {
			delete(s.commands, key)
			return 200, statusOK, nil
		}
	}
	return 0, nil, fail(404, "store.sql_command.get.missing.app_error")
}

// getFullConfig is the little of it that tests look at.
func getFullConfig(s *Server, _ *call) (int, any, *apiError) {
	return 200, map[string]any{
		"ServiceSettings": map[string]any{
			"SiteURL": s.settings.SiteURL, "EnableBotAccountCreation": true, "EnableUserAccessTokens": true, "EnableCommands": !s.settings.CommandsDisabled,
			"AllowedUntrustedInternalConnections": "127.0.0.1 localhost",
		},
		"RateLimitSettings": map[string]any{"Enable": s.settings.RateLimit > 0, "PerSec": s.settings.RateLimit},
	}, nil
}
