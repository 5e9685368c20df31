package mattermosttest

import (
	"encoding/json"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// post is a row of the database, with everything in it; clean is what a client gets of it.
type post struct {
	ID         string         `json:"id"`
	CreateAt   int64          `json:"create_at"`
	UpdateAt   int64          `json:"update_at"`
	EditAt     int64          `json:"edit_at"`
	DeleteAt   int64          `json:"delete_at"`
	IsPinned   bool           `json:"is_pinned"`
	Reactions  bool           `json:"has_reactions,omitempty"`
	UserID     string         `json:"user_id"`
	ChannelID  string         `json:"channel_id"`
	RootID     string         `json:"root_id"`
	OriginalID string         `json:"original_id"`
	Message    string         `json:"message"`
	Type       string         `json:"type"`
	Props      map[string]any `json:"props"`
	Hashtags   string         `json:"hashtags"`
	FileIDs    []string       `json:"file_ids,omitempty"`
	PendingID  string         `json:"pending_post_id"`
	ReplyCount int            `json:"reply_count"`
	LastReply  int64          `json:"last_reply_at"`
	People     any            `json:"participants"`
	Metadata   map[string]any `json:"metadata,omitempty"`
}

// seen is a pending_post_id that was used.
type seen struct {
	post, user string
	at         time.Time
}

type file struct {
	id, user, channel, name, mime string
	post                          string
	created                       int64
	data                          []byte
}

func (f *file) json() map[string]any {
	ext := ""
	if i := strings.LastIndexByte(f.name, '.'); i >= 0 {
		ext = f.name[i+1:]
	}
	return map[string]any{
		"id": f.id, "user_id": f.user, "channel_id": f.channel, "post_id": f.post, "create_at": f.created, "update_at": f.created, "delete_at": 0,
		"name": f.name, "extension": ext, "size": len(f.data), "mime_type": f.mime, "mini_preview": nil,
	}
}

// copied is v by way of JSON: nothing in it is shared.
func copied[T any](v T) T {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	var out T
	if err := json.Unmarshal(b, &out); err != nil {
		panic(err)
	}
	return out
}

func text(v any) string {
	b, _ := json.Marshal(v)
	return string(b)
}

func quoted(s []string) string { return text(s) }

// actions calls f with every button and menu in the attachments of props.
func actions(props map[string]any, f func(map[string]any)) {
	attachments, _ := props["attachments"].([]any)
	for _, a := range attachments {
		a, _ := a.(map[string]any)
		list, _ := a["actions"].([]any)
		for _, x := range list {
			if x, ok := x.(map[string]any); ok {
				f(x)
			}
		}
	}
}

// clean is what a client gets: no integrations, and no text of what was deleted.
func (s *Server) clean(p *post) *post {
	c := copied(*p)
	actions(c.Props, func(a map[string]any) { delete(a, "integration") })
	if c.Props == nil {
		c.Props = map[string]any{}
	}
	c.Metadata = map[string]any{}
	if c.DeleteAt > 0 {
		c.Message, c.FileIDs = "", nil
		delete(c.Props, "attachments")
		return &c
	}
	var files []any
	for _, f := range c.FileIDs {
		files = append(files, s.files[f].json())
	}
	if files != nil {
		c.Metadata["files"] = files
	}
	for _, r := range s.threads[c.ID] {
		if r.DeleteAt == 0 {
			c.ReplyCount, c.LastReply = c.ReplyCount+1, r.CreateAt
		}
	}
	return &c
}

// create is a post by a user of the API.
func (s *Server) create(by string, p *post) (*post, *apiError) {
	c, u := s.channels[p.ChannelID], s.users[by]
	if c == nil || c.members[by] == nil {
		return nil, forbidden()
	}
	if s.settings.ReadOnly && c.team != "" && !c.members[by].admin && !s.admin(by) {
		return nil, forbidden()
	}
	if strings.HasPrefix(p.Type, "system_") {
		return nil, fail(400, "api.context.invalid_body_param.app_error")
	}
	if old, ok := s.pending[p.PendingID]; ok && p.PendingID != "" && old.user == by && s.clock().Sub(old.at) < s.settings.PendingWindow {
		return s.clean(s.posts[old.post]), nil
	}
	if c.deleted > 0 {
		return nil, fail(400, "api.post.create_post.can_not_post_to_deleted.error")
	}
	if c.kind == "D" {
		for other := range c.members {
			if s.apart(by, other) {
				return nil, fail(400, "api.post.create_post.can_not_post_in_restricted_dm.error")
			}
		}
	}
	if p.RootID != "" {
		root := s.posts[p.RootID]
		switch {
		case root == nil || root.DeleteAt > 0 || root.RootID != "":
			return nil, fail(400, "api.post.create_post.root_id.app_error")
		case root.ChannelID != c.id:
			return nil, fail(400, "api.post.create_post.channel_root_id.app_error")
		}
	}
	if err := s.fits(p); err != nil {
		return nil, err
	}
	n := &post{
		UserID: by, ChannelID: c.id, RootID: p.RootID, Message: p.Message, Type: p.Type, Props: copied(p.Props), PendingID: p.PendingID,
	}
	if u.bot {
		n.Props = with(n.Props, "from_bot", "true")
	}
	for _, id := range p.FileIDs {
		if f := s.files[id]; f != nil && f.user == by && f.post == "" {
			n.FileIDs = append(n.FileIDs, id)
		}
	}
	s.write(n)
	for _, id := range n.FileIDs {
		s.files[id].post = n.ID
	}
	answer := s.clean(n)
	if n.PendingID != "" {
		s.pending[n.PendingID] = seen{n.ID, by, s.clock()}
		n.PendingID = ""
	}
	return answer, nil
}

func with(m map[string]any, key string, v any) map[string]any {
	if m == nil {
		m = map[string]any{}
	}
	m[key] = v
	return m
}

// fits refuses what is too long.
func (s *Server) fits(p *post) *apiError {
	switch {
	case utf8.RuneCountInString(p.Message) > s.settings.MaxPostSize && s.version == V9:
		return fail(400, "model.post.is_valid.msg.app_error")
	case utf8.RuneCountInString(p.Message) > s.settings.MaxPostSize:
		return fail(400, "model.post.is_valid.message_length.app_error")
	case utf8.RuneCountInString(text(p.Props)) > 800000:
		return fail(400, "model.post.is_valid.props.app_error")
	}
	return nil
}

// write puts a post in the database and tells the channel.
func (s *Server) write(p *post) {
	c := s.channels[p.ChannelID]
	p.ID, p.CreateAt = newID(), s.now()
	p.UpdateAt = p.CreateAt
	if p.Props == nil {
		p.Props = map[string]any{}
	}
	nameActions(p.Props)
	s.posts[p.ID] = p
	s.rows = append(s.rows, p)
	c.lastPost, c.msgs = p.CreateAt, c.msgs+1
	if p.RootID == "" {
		c.lastRoot, c.roots = p.CreateAt, c.roots+1
	} else {
		s.threads[p.RootID] = append(s.threads[p.RootID], p)
		s.posts[p.RootID].UpdateAt = p.CreateAt // a reply touches its root
	}
	sender, title := s.users[p.UserID], c.title
	if c.kind == "D" {
		title = "@" + sender.Name
	}
	clean := s.clean(p)
	s.publish(event{
		name: "posted", channel: c.id, mentions: s.mentioned(p, c),
		data: map[string]any{
			"post": text(clean), "channel_type": c.kind, "channel_display_name": title, "channel_name": c.name, "sender_name": "@" + sender.Name,
			"team_id": c.team, "set_online": true,
		},
	})
}

// nameActions gives buttons without an id one.
func nameActions(props map[string]any) {
	actions(props, func(a map[string]any) {
		if id, _ := a["id"].(string); id == "" {
			a["id"] = newID()
		}
	})
}

var (
	code = regexp.MustCompile("(?s)```.*?```|`[^`]*`")
	at   = regexp.MustCompile(`@[A-Za-z0-9._\-:]+`)
)

// mentioned is who of the channel is called by name, in the message or an attachment; in a DM and a group everybody is.
func (s *Server) mentioned(p *post, c *channel) map[string]bool {
	hit := map[string]bool{}
	if strings.HasPrefix(p.Type, "system_") {
		return hit
	}
	if c.kind == "D" || c.kind == "G" {
		for u := range c.members {
			hit[u] = u != p.UserID
		}
		return hit
	}
	texts := []string{p.Message}
	attachments, _ := p.Props["attachments"].([]any)
	for _, a := range attachments {
		a, _ := a.(map[string]any)
		texts = append(texts, str(a["pretext"]), str(a["text"]))
		fields, _ := a["fields"].([]any)
		for _, f := range fields {
			f, _ := f.(map[string]any)
			texts = append(texts, str(f["title"]), str(f["value"]))
		}
	}
	for _, t := range texts {
		for _, m := range at.FindAllString(code.ReplaceAllString(t, " "), -1) {
			name := strings.ToLower(strings.TrimRight(m[1:], ".-_:"))
			for u := range c.members {
				if s.users[u].Name == name || slices.Contains([]string{"channel", "all", "here"}, name) && u != p.UserID {
					hit[u] = true
				}
			}
		}
	}
	return hit
}

func str(v any) string {
	t, _ := v.(string)
	return t
}

// alive is a post that was not deleted.
func (s *Server) alive(id string) *post {
	if p := s.posts[id]; p != nil && p.DeleteAt == 0 {
		return p
	}
	return nil
}

// read is a post for somebody.
func (s *Server) read(by, id string) (*post, *apiError) {
	p := s.alive(id)
	if p == nil {
		return nil, fail(404, "app.post.get.app_error")
	}
	if !s.reads(by, s.channels[p.ChannelID]) {
		return nil, forbidden()
	}
	return s.clean(p), nil
}

// editable is a post that by may change. One that was deleted is forbidden, not unknown.
func (s *Server) editable(by, id string) (*post, *apiError) {
	p := s.alive(id)
	if p == nil || s.channels[p.ChannelID].members[by] == nil || p.UserID != by && !s.admin(by) {
		return nil, forbidden()
	}
	return p, nil
}

// replace is an update by the API: message, props and pin become those of n, whatever was there.
func (s *Server) replace(p, n *post) (*post, *apiError) {
	if s.channels[p.ChannelID].deleted > 0 {
		return nil, fail(400, "api.post.update_post.can_not_update_post_in_deleted.error")
	}
	if strings.HasPrefix(p.Type, "system_") {
		return nil, fail(400, "api.post.update_post.system_message.app_error")
	}
	if err := s.fits(n); err != nil {
		return nil, err
	}
	history, now := copied(*p), s.now()
	history.ID, history.OriginalID, history.DeleteAt, history.UpdateAt = newID(), p.ID, now, now
	if p.Message != n.Message {
		p.Message, p.EditAt = n.Message, now
	}
	p.Props, p.IsPinned, p.UpdateAt = copied(n.Props), n.IsPinned, now
	if n.FileIDs != nil {
		p.FileIDs = slices.DeleteFunc(slices.Clone(n.FileIDs), func(id string) bool { return s.files[id] == nil })
	}
	nameActions(p.Props)
	s.posts[history.ID] = &history
	s.rows = append(s.rows, &history)
	clean := s.clean(p)
	s.publish(event{name: "post_edited", channel: p.ChannelID, data: map[string]any{"post": text(clean)}})
	return clean, nil
}

// remove deletes a post and the replies under it. The event carries what it was.
func (s *Server) remove(by, id string) *apiError {
	p := s.alive(id)
	switch {
	case p == nil && s.version == V9:
		return forbidden()
	case p == nil:
		return fail(404, "app.post.get.app_error")
	case s.channels[p.ChannelID].members[by] == nil || p.UserID != by && !s.admin(by):
		return forbidden()
	case s.channels[p.ChannelID].deleted > 0:
		return fail(400, "api.post.delete_post.can_not_delete_post_in_deleted.error")
	}
	old := s.clean(p)
	for _, r := range append([]*post{p}, s.threads[p.ID]...) {
		if r.DeleteAt == 0 {
			r.DeleteAt, r.UpdateAt = s.now(), s.now()
			r.Props = with(r.Props, "deleteBy", by)
		}
	}
	s.publish(event{name: "post_deleted", channel: p.ChannelID, data: map[string]any{"post": text(old), "delete_by": by}})
	return nil
}

// postList is the JSON of posts in this order.
func (s *Server) postList(list []*post, order []*post) map[string]any {
	ids, all := []string{}, map[string]*post{}
	for _, p := range order {
		ids = append(ids, p.ID)
	}
	for _, p := range list {
		all[p.ID] = s.clean(p)
	}
	return map[string]any{"order": ids, "posts": all, "next_post_id": "", "prev_post_id": "", "has_next": false}
}

const sinceCap = 1000

// since is what changed after a moment: old versions and deletions too, newest first, at most a thousand: which ones, and in
// which order, is then as it happens (Settings.SinceOldest). With collapsed threads it is only the roots that are still there.
func (s *Server) since(c *channel, when int64, collapsed bool) map[string]any {
	var hits []*post
	for _, r := range s.rows {
		if r.ChannelID == c.id && r.UpdateAt > when && (!collapsed || r.RootID == "" && r.DeleteAt == 0) {
			hits = append(hits, r)
		}
	}
	newest(hits)
	if len(hits) > sinceCap {
		rand.Shuffle(len(hits), func(i, j int) { hits[i], hits[j] = hits[j], hits[i] })
		if s.settings.SinceOldest {
			slices.SortStableFunc(hits, func(a, b *post) int { return int(a.UpdateAt - b.UpdateAt) })
		}
		hits = hits[:sinceCap]
	}
	list := slices.Clone(hits)
	for _, p := range hits {
		if root := s.posts[p.RootID]; root != nil {
			list = append(list, root) // in posts, not in order
		}
	}
	return s.postList(list, hits)
}

func newest(list []*post) {
	slices.Reverse(list) // of the same millisecond the later one first
	slices.SortStableFunc(list, func(a, b *post) int { return int(b.CreateAt - a.CreateAt) })
}

// page is part of the posts of a channel, without deleted ones, newest first.
func (s *Server) page(c *channel, after, before string, page, size int, collapsed bool) map[string]any {
	var all []*post
	for _, r := range s.rows {
		if r.ChannelID == c.id && r.DeleteAt == 0 && (!collapsed || r.RootID == "") {
			all = append(all, r)
		}
	}
	newest(all)
	pivot := func(id string) int { return slices.IndexFunc(all, func(p *post) bool { return p.ID == id }) }
	var part []*post
	switch {
	case after != "":
		if i := pivot(after); i > 0 {
			hi := i - page*size // counted from the pivot upwards
			part = all[max(0, hi-size):max(0, hi)]
		} else if i < 0 && s.posts[after] != nil {
			newer := slices.DeleteFunc(slices.Clone(all), func(p *post) bool { return p.CreateAt <= s.posts[after].CreateAt })
			hi := len(newer) - page*size
			part = newer[max(0, hi-size):max(0, hi)]
		}
	case before != "":
		if i := pivot(before); i >= 0 {
			part = slice(all[i+1:], page, size)
		}
	default:
		part = slice(all, page, size)
	}
	j := s.postList(part, part)
	if len(part) > 0 {
		if i := pivot(part[0].ID); i > 0 {
			j["next_post_id"] = all[i-1].ID
		}
		if i := pivot(part[len(part)-1].ID); i+1 < len(all) {
			j["prev_post_id"], j["has_next"] = all[i+1].ID, true
		}
	}
	return j
}

func slice[T any](all []T, page, size int) []T {
	lo := min(page*size, len(all))
	return all[lo:min(lo+size, len(all))]
}
