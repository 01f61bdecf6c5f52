"""The pages as a person sees them: a real Chromium against a real server, on this machine alone."""

import shutil
import threading
import time

import pytest

from serving import store
from serving.api import create_app
from serving.house import open_house
from serving.languages import LANGUAGES, language
from serving.watches import acknowledge, standing
from tests.serving.crossings import PURPOSE, newest_day
from tests.serving.pages import actor_of
from tests.serving.published_run import publish
from tests.serving.watched_model import ALARMED, looked

CHROMIUM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: `make system` installs it")
PLANNERS = (
    "/forecasts/alarms",
    "/forecasts/staffing",
    "/forecasts/offices",
    "/forecasts/scenarios?change=moved%26first=2026-03-10%26low=20%26high=60",
    "/forecasts/runs",
)
PAGES = {
    "analyst": ("/", "/forecasts", "/docs"),
    "caseworker": ("/",),
    "planner": ("/", *PLANNERS),
    "protection": ("/",),
    "administrator": ("/",),
    "oversight": ("/watch?kind=crossing", "/models/secondary_check"),
}
EVERY_PAGE = [(role, address) for role, addresses in PAGES.items() for address in addresses]
PHONE, DESK = {"width": 390, "height": 844}, {"width": 1280, "height": 900}

# Text whose colour stands out from what is behind it by less than WCAG's 4.5, as [text, contrast].
PALE_TEXT = """() => {
  const parse = c => (c.match(/[\\d.]+/g) || []).map(Number);
  const light = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map(v => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const behind = e => {
    for (; e; e = e.parentElement) {
      const c = parse(getComputedStyle(e).backgroundColor);
      if (c.length === 3 || c[3] === 1) return c;
    }
    return [255, 255, 255];
  };
  const pale = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node; node = texts.nextNode();) {
    const e = node.parentElement;
    if (!node.data.trim() || !e.getClientRects().length) continue;
    const [a, b] = [light(parse(getComputedStyle(e).color)), light(behind(e))];
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (contrast < 4.5) pale.push([node.data.trim(), contrast]);
  }
  return pale;
}"""

# What a screen reader could not name: fields without a label, links and buttons without words, pictures without alt.
UNNAMED = """() => [
  ...document.querySelectorAll('a, button, input:not([type=hidden]), select, img, nav, [role=region]')
].filter(e => {
    if (e.matches('img')) return !e.hasAttribute('alt');
    if (e.matches('input, select')) return !e.labels.length;
    return !(e.getAttribute('aria-label') || e.textContent).trim();
  })
  .map(e => e.outerHTML)"""

SIDEWAYS = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
FOCUSED = """() => {
  const e = document.activeElement, box = e.getBoundingClientRect();
  const seen = box.width > 0 && box.right > 0 && getComputedStyle(e).outlineStyle !== 'none';
  return [e.id || e.getAttribute('href') || e.textContent.trim(), seen];
}"""


@pytest.fixture(scope="module")
def house(lasting_installation, model, rulebook, protection):
    batch = newest_day(model, rulebook, protection)
    with store.writing(lasting_installation.engine) as connection:
        store.save_assessments(connection, batch, zone="Africa/Tunis")
    publish(lasting_installation.settings.home)
    looked(lasting_installation.settings, **ALARMED)
    made = open_house(lasting_installation.settings)
    alarm = standing(made, PURPOSE).alarms[0].alarm
    acknowledge(made, actor_of(lasting_installation, "data_scientist"), PURPOSE, alarm.what, alarm.since, "New routes")
    made.engine.dispose()
    return lasting_installation, batch


@pytest.fixture(scope="module")
def address(house):
    """Where the server listens: a free port of the loopback, in a thread of this process."""
    import uvicorn

    app = create_app(house[0].settings)
    # Windows lie idle between tests: a connection closed while one asks again would look like a fault of the page.
    options = {"log_level": "error", "ws": "none", "timeout_keep_alive": 600}
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, **options))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until = time.monotonic() + 30
    while not server.started:
        assert thread.is_alive(), "the server stopped before it listened"
        assert time.monotonic() < until, "the server does not listen"
        time.sleep(0.02)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(timeout=30)
    app.state.house.engine.dispose()


@pytest.fixture(scope="module")
def chromium():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        # Root of a container has no sandbox to give, and its /dev/shm is small.
        options = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=options)
        yield browser
        browser.close()


class Window:
    """One person's window; remembers what it asked for and what its console complained about."""

    def __init__(self, browser, address):
        self.address, self.asked, self.complaints = address, [], []
        self.page = browser.new_context(viewport=DESK, locale="en-GB").new_page()
        self.page.set_default_timeout(120_000)  # a busy machine is no reason to fail
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def go(self, path, code=None, size=DESK, scheme="light"):
        self.page.set_viewport_size(size)
        self.page.emulate_media(color_scheme=scheme)
        if code:
            self.page.goto(f"{self.address}/language/{code}?back={path}")
        else:
            self.page.goto(self.address + path)
        return self.page

    def sign_in(self, role, password):
        self.go("/")
        self.page.locator("#name").fill(role)
        self.page.locator("#password").fill(password)
        self.page.get_by_role("button", name=language("en").say("sign_in.action"), exact=True).click()


@pytest.fixture(scope="module")
def windows(chromium, address, house):
    """A window for each role, signed in through the form; and "" for one who is not signed in."""
    opened = {"": Window(chromium, address)}
    for role in PAGES:
        opened[role] = Window(chromium, address)
        opened[role].sign_in(role, house[0].passwords[role])
    yield opened
    for window in opened.values():
        window.page.context.close()


def test_signing_in_and_out_with_the_form(chromium, address, house):
    window = Window(chromium, address)
    window.sign_in("analyst", house[0].passwords["analyst"])
    page, english = window.page, language("en")
    assert page.get_by_role("heading", level=1).inner_text() == english.say("queue.crossing.title", day="2 March 2026")
    page.get_by_role("button", name=english.say("sign_out.action")).click()
    page.get_by_label(english.say("sign_in.password")).wait_for()
    assert page.goto(f"{address}/forecasts").url == f"{address}/"
    assert window.complaints == []
    page.context.close()


def test_a_wrong_password_is_told_beside_the_form(chromium, address):
    window = Window(chromium, address)
    window.sign_in("analyst", "certainly not this one")
    assert window.page.get_by_role("alert").inner_text() == language("en").say("sign_in.refused")
    assert window.page.get_by_label(language("en").say("sign_in.name")).is_visible()
    window.page.context.close()


@pytest.mark.parametrize("code", LANGUAGES)
def test_the_newest_day_s_cases_say_score_band_reasons_and_proposal(windows, house, rulebook, code):
    page, reader = windows["analyst"].go("/", code), language(code)
    assert page.locator("html").get_attribute("lang") == code
    assert page.locator("html").get_attribute("dir") == ("rtl" if code == "ar" else "ltr")
    page.locator(".unscored summary").click()
    shown = page.get_by_role("article")
    scored = sorted((a for a in house[1] if a.assessable and not a.blind), key=lambda a: -a.raw)
    assert shown.count() == len(scored) + 1
    best = shown.nth(1).inner_text()
    assert reader.say("score.per_hundred", score=reader.per_hundred(scored[0].score)) in best
    assert reader.say(f"band.{scored[0].band}") in best
    assert reader.clock(scored[0].happened_at, "Africa/Tunis") in best
    assert reader.say("proposal.title") in best
    assert rulebook.ladder.mitigations[scored[0].mitigation].title[code] in best
    reasons = shown.nth(1).locator(".reasons li")
    assert reasons.count() == min(3, len(scored[0].reasons))
    assert all(said.endswith(".") for said in reasons.locator(".said").all_inner_texts())
    blind = shown.nth(0).inner_text()
    assert reader.say("checklist.title") in blind
    assert reader.say("proposal.title") not in blind
    assert shown.nth(0).locator(".reasons, .bar, .proposal").count() == 0


def test_arabic_runs_from_right_to_left(windows):
    page = windows["analyst"].go("/", "ar")
    brand, leave = (page.locator(part).bounding_box() for part in (".brand", ".leave button"))
    assert brand["x"] > leave["x"]
    score, reasons = (page.get_by_role("article").nth(0).locator(part).bounding_box() for part in (".score", ".why"))
    assert score["x"] > reasons["x"]
    # Letters of a reference keep their own order inside the line.
    assert page.locator(".reference bdi").first.get_attribute("dir") == "ltr"


def test_one_post_at_a_time_by_the_form(windows):
    page = windows["analyst"].go("/", "en")
    page.get_by_label(language("en").say("queue.filter.crossing")).select_option("ras-jedir")
    page.get_by_role("button", name=language("en").say("queue.filter.action")).click()
    page.wait_for_url("**place=ras-jedir")
    names = page.get_by_role("article").get_by_role("heading", level=2).all_inner_texts()
    assert set(names) == {"Ras Jedir Crossing"}


@pytest.mark.parametrize("code", LANGUAGES)
@pytest.mark.parametrize(("role", "path"), [("", "/"), *EVERY_PAGE])
def test_nothing_runs_over_the_edge_of_a_phone(windows, role, path, code):
    page = windows[role].go(path, code, PHONE)
    assert page.evaluate(SIDEWAYS) == 0
    assert page.get_by_role("heading", level=1).count() == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("role", "path"), [("", "/"), *EVERY_PAGE])
def test_text_stands_out_and_everything_has_a_name(windows, role, path, scheme):
    page = windows[role].go(path, "fr", scheme=scheme)
    assert page.evaluate(PALE_TEXT) == []
    assert page.evaluate(UNNAMED) == []
    paper = page.evaluate("() => getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)")
    assert (max(paper) < 64) == (scheme == "dark")


@pytest.mark.parametrize("code", LANGUAGES)
def test_a_card_to_print_is_dressed_and_fits_a_phone(windows, code):
    page = windows["oversight"].go("/v1/models/secondary_check/card?form=page", code, PHONE)
    assert page.evaluate("() => getComputedStyle(document.querySelector('.mode')).padding") != "0px"
    assert page.evaluate(SIDEWAYS) == 0


def test_the_keyboard_reaches_things_in_reading_order_and_shows_where_it_is(windows):
    page = windows["analyst"].go("/", "en")
    reached = []
    for _ in range(12):
        page.keyboard.press("Tab")
        where, seen = page.evaluate(FOCUSED)
        assert seen, where
        reached.append(where)
    english = language("en")
    assert reached[0] == "#content"
    assert reached[1:6] == ["/", "/?kind=crossing", "/forecasts", "/drivers?kind=crossing", "/watch?kind=crossing"]
    assert [where.split("?")[0] for where in reached[6:9]] == [f"/language/{code}" for code in LANGUAGES]
    assert reached[9:12] == [english.say("sign_out.action"), "place", english.say("queue.filter.action")]


def test_the_sign_in_form_is_ready_to_type_and_sent_by_enter(chromium, address, house):
    window = Window(chromium, address)
    page = window.go("/")
    page.wait_for_function("() => document.activeElement.id === 'name'")
    page.keyboard.type("planner")
    page.keyboard.press("Tab")
    page.keyboard.type(house[0].passwords["planner"])
    page.keyboard.press("Enter")
    page.wait_for_url("**/forecasts")
    page.context.close()


def test_no_window_asked_another_host_or_had_to_complain(windows, address):
    """Last, since it is about all that the windows did before."""
    assert all(window.asked for window in windows.values())
    outside = {url for window in windows.values() for url in window.asked if not url.startswith(f"{address}/")}
    assert outside == set()
    complaints = {role: window.complaints for role, window in windows.items() if window.complaints}
    assert complaints == {}
