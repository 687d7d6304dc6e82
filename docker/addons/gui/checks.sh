# shellcheck shell=bash
# Sourced by test-container.sh; see scripts/lib/image-parts.sh.
# shellcheck disable=SC2154 # work and container are test-container.sh's
GUI_PASSWORD=test-password-of-the-desktop
WEBSOCKET=(--http1.1 --no-buffer --header 'Connection: Upgrade' --header 'Upgrade: websocket'
  --header 'Sec-WebSocket-Version: 13' --header 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==')

ports_gui() { echo 6080; }
environment_gui() { echo "AGENTPOD_GUI_PASSWORD=${GUI_PASSWORD}"; }
# 200 when the screen takes connections; the window manager and the panel come right after it.
serves_gui() { status_is 200 6080 /health --max-time 3 && desktop_is_up; }

desktop_is_up() {
  local program
  for program in Xtigervnc openbox tint2; do
    inside pgrep -x "${program}" > /dev/null || { printf 'no %s\n' "${program}"; return 1; }
  done
}

checks_gui() {
  check_gui_login
  check_gui_screen
}

check_gui_login() {
  check "the desktop leads to its login" status_is 303 6080 /
  check "the login page is served" status_is 200 6080 /login
  check "the login page asks for the password" body_has 'type="password"'
  check "a login without a password is refused" gui_login_is 401 ''
  check "a wrong password is refused" gui_login_is 401 "${GUI_PASSWORD}x"
  check "a password from another site is refused" status_is 403 6080 /login --header 'Origin: http://example.invalid' \
    --data-urlencode "password=${GUI_PASSWORD}"
  check "the screen is refused without a login" gui_screen_is 401 "http://$(port 6080)"
  check "the password opens the desktop" gui_login_is 303 "${GUI_PASSWORD}"
  check "the cookie is kept from scripts and from other sites" grep --quiet --ignore-case \
    '^set-cookie: agentpod-gui-[0-9]*=[A-Za-z0-9_-]*;.*HttpOnly.*SameSite=Strict' "${work}/headers"
  check "the desktop's page is served with the cookie" status_is 200 6080 / --cookie "${work}/gui-cookies"
  check "the screen is refused to another site" gui_screen_is 403 http://example.invalid
  check "the screen is refused to who names no site" gui_screen_is 403 ''
  check "the screen greets over the WebSocket" gui_screen_greets
  check "it still does after many who left early" gui_screen_stays_open
  check "no log and no command line tells the desktop's password" is_hidden "${GUI_PASSWORD}"
  check "no program finds the desktop's password in its environment" gui_password_is_in_no_environment
}

# gui_login_is STATUS PASSWORD
gui_login_is() {
  status_is "$1" 6080 /login --header "Origin: http://$(port 6080)" --data-urlencode "password=$2" \
    --cookie-jar "${work}/gui-cookies" --dump-header "${work}/headers"
}

# gui_screen_is STATUS ORIGIN
gui_screen_is() {
  status_is "$1" 6080 /websockify "${WEBSOCKET[@]}" --header "Origin: $2" --cookie "${work}/gui-cookies" --max-time 5
}

# The connection stays open, so curl ends by its time.
gui_screen_greets() {
  curl --silent --max-time 2 --output "${work}/greeting" "${WEBSOCKET[@]}" --header "Origin: http://$(port 6080)" \
    --cookie "${work}/gui-cookies" "http://$(port 6080)/websockify" || (($? == 28)) || return 1
  grep --quiet --text --fixed-strings 'RFB 003.008' "${work}/greeting"
}

gui_screen_stays_open() {
  local tries
  for tries in {1..20}; do status_is 200 6080 /health || { printf 'at try %s\n' "${tries}"; return 1; }; done
  gui_screen_greets
}

# shellcheck disable=SC2016 # expanded inside the container
gui_password_is_in_no_environment() {
  # The container's first programs were given it by the engine, as everything in its settings.
  ! inside bash -c 'for pid in $(pgrep -x "Xtigervnc|openbox|tint2|bun|dbus-daemon|opencode|supervisord"); do
    tr "\0" "\n" < /proc/${pid}/environ; done' | grep --fixed-strings -- "${GUI_PASSWORD}"
}

check_gui_screen() {
  check "the screen is 1920x1080" output_matches xdpyinfo 'dimensions: +1920x1080 pixels'
  check "the screen says so to programs" output_matches xrandr 'current 1920 x 1080'
  check "the panel keeps the lower edge" output_matches 'xprop -root _NET_WORKAREA' '= 0, 0, 1920, 1044'
  check "the desktop's own settings are in use" output_matches 'xrdb -query' 'XTerm\*faceName:.*DejaVu'
  check "the display takes nobody without its cookie" gui_display_needs_cookie
  check "neither VNC nor X listens on a port" gui_has_no_other_port
  check "its socket is the developer's alone" output_matches 'stat --format "%a %U" /run/agentpod/gui/vnc.sock' '^600 developer$'
  check "a terminal opens a window" gui_opens_terminal
  check "the menu lists what is installed" output_matches '/usr/local/lib/agentpod/gui/menu.sh | tr "\n" " "' '>xterm<.*>pcmanfm '
  check "the screen can be killed" inside pkill -KILL -x Xtigervnc
  check "it comes back, with windows and panel" wait_until 30 gui_is_back
}

gui_display_needs_cookie() { ! inside env XAUTHORITY=/dev/null xdpyinfo; }

# shellcheck disable=SC2016 # expanded inside the container
gui_has_no_other_port() {
  ! inside bash -c 'for port in 5900 5901 6000 6001; do (: < "/dev/tcp/127.0.0.1/${port}") && exit; done; exit 1' 2> /dev/null
}

gui_opens_terminal() {
  inside bash -c 'timeout 30 xterm -title checked -e "sleep 30" > /dev/null 2>&1 &'
  wait_until 10 inside xwininfo -name checked && inside pkill -f -- '-title checked'
}

gui_is_back() { serves_gui && inside xprop -root _NET_WORKAREA | grep ' 1044' > /dev/null; }

apart_gui() {
  check "a size and the gateway's token are taken" gui_takes_settings 1280x720 '1280x720'
  check "a size that is none is told, and the desktop comes up" gui_takes_settings nonsense '1920x1080'
}

# gui_takes_settings GEOMETRY EXPECTED
gui_takes_settings() {
  docker run --detach --name "${container}" --label "dev.agentpod.test=${run_id}" "${LIMITS[@]}" --publish 127.0.0.1::6080 \
    --env AGENTPOD_GATEWAY_TOKEN="${TOKEN}" --env AGENTPOD_GUI_GEOMETRY="$1" "${IMAGE}" > /dev/null
  wait_until "${SERVING_SECONDS_MAX}" serves_gui &&
    output_matches xdpyinfo "dimensions: +$2 pixels" &&
    gui_login_is 303 "${TOKEN}" &&
    { [[ $1 == "$2" ]] || docker logs "${container}" 2>&1 | grep 'AGENTPOD_GUI_GEOMETRY is not' > /dev/null; }
  local result=$?
  remove_container "${container}"
  return "${result}"
}
