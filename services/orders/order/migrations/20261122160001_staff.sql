-- migrate:up

-- Who works in the back office. A login is a mail address, once over all shops; a person belongs to one shop.
-- `password_hash` is argon2id with its parameters, null until the invitation was taken up.
create table staff (
    staff_id            uuid primary key,
    shop                text not null,
    login               text not null check (login = lower(login)),
    name                text not null,
    role                text not null check (role in ('owner', 'manager', 'fulfilment', 'accountant')),
    password_hash       text,
    password_changed_at timestamptz,
    preferences         jsonb not null default '{}',
    created_at          timestamptz not null,
    created_by          text not null,
    disabled_at         timestamptz
);
create unique index staff_by_login on staff (login);
create index staff_by_shop on staff (shop, login);

-- A signed-in browser. The token is known to the browser alone, here is its SHA-256.
create table staff_session (
    session_id   uuid primary key,
    token_hash   bytea not null,
    staff_id     uuid not null references staff,
    created_at   timestamptz not null,
    last_seen_at timestamptz not null,
    expires_at   timestamptz not null,
    revoked_at   timestamptz,
    address      text not null,
    user_agent   text not null
);
create unique index staff_session_by_token on staff_session (token_hash);
create index staff_session_by_staff on staff_session (staff_id, last_seen_at desc);

-- A link that lets somebody choose a password, once.
create table staff_invitation (
    token_hash bytea primary key,
    staff_id   uuid not null references staff,
    created_at timestamptz not null,
    created_by text not null,
    expires_at timestamptz not null,
    used_at    timestamptz
);
create index staff_invitation_by_staff on staff_invitation (staff_id);

-- Tries to sign in, counted per login and per address; the login is kept as a hash, for people type passwords there.
create table sign_in_attempt (
    attempt_id   uuid primary key,
    login_hash   bytea not null,
    address      text not null,
    attempted_at timestamptz not null,
    is_failure   boolean not null
);
create index sign_in_attempt_by_login on sign_in_attempt (login_hash, attempted_at);
create index sign_in_attempt_by_address on sign_in_attempt (address, attempted_at);
create index sign_in_attempt_by_time on sign_in_attempt (attempted_at);

-- Everything somebody did or tried to do in the back office; a row is written before the action as `begun`, so that
-- one the process did not survive is seen.
create table audit (
    audit_id   uuid primary key,
    shop       text,
    staff_id   uuid,
    actor      text,
    at         timestamptz not null,
    action     text not null,
    order_id   uuid,
    outcome    text not null,
    status     integer,
    address    text not null,
    path       text not null,
    session_id uuid,
    detail     jsonb not null default '{}'
);
create index audit_by_shop on audit (shop, at desc, audit_id desc);
create index audit_by_order on audit (shop, order_id, at desc) where order_id is not null;
create index audit_by_staff on audit (staff_id, at desc) where staff_id is not null;

-- migrate:down

drop table audit, sign_in_attempt, staff_invitation, staff_session, staff;
