"""The page in a real browser: each of its parts used once, on a small trained run."""

import io
import shutil
import statistics
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from stylegan_ada import load_generator
from stylegan_ada.cli import main

selenium = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
Select = pytest.importorskip("selenium.webdriver.support.select").Select

CHROMIUM, DRIVER = (shutil.which(name) for name in ("chromium", "chromedriver"))
pytestmark = pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="Debian's chromium and chromium-driver are missing")


class Browser:
    """Finds what is shown, and waits for what is to come."""

    def __init__(self, driver: Any) -> None:
        self.driver = driver

    def all(self, selector: str) -> list[Any]:
        return self.driver.find_elements("css selector", selector)

    def wait(self, done: Callable[[], Any], seconds: float = 30) -> Any:
        end = time.monotonic() + seconds
        while not (found := done()):
            assert time.monotonic() < end, self.driver.find_element("tag name", "body").text
            time.sleep(0.05)
        return found

    def one(self, selector: str) -> Any:
        return self.wait(lambda: self.all(selector))[0]

    def click(self, selector: str, text: str = "") -> None:
        self.wait(lambda: any(text in own for own in self.texts(selector)))
        place = next(place for place, own in enumerate(self.texts(selector)) if text in own)
        element = self.all(selector)[place]
        self.driver.execute_script("arguments[0].click()", element)

    def slide(self, element: Any, value: float) -> None:
        """As a hand on a slider does."""
        script = "arguments[0].value = arguments[1]; arguments[0].dispatchEvent(new Event('input', {bubbles: true}));"
        self.driver.execute_script(script, element, value)

    def texts(self, selector: str) -> list[str]:
        """Of elements that may be replaced at any moment."""
        script = "return [...document.querySelectorAll(arguments[0])].map((one) => one.textContent)"
        return self.driver.execute_script(script, selector)

    def source(self, selector: str) -> str:
        """Of the first image."""
        script = "return document.querySelector(arguments[0])?.src ?? ''"
        return self.driver.execute_script(script, selector)

    def text(self, selector: str) -> str:
        return " ".join(self.texts(selector))

    def problems(self) -> list[str]:
        """What the console says, and what the page tells of errors."""
        told = self.driver.find_element("id", "error").text
        return [entry["message"] for entry in self.driver.get_log("browser")] + ([told] if told else [])


@pytest.fixture(scope="module")
def driver() -> Iterator[Any]:
    options = selenium.ChromeOptions()
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    options.add_argument("--window-size=1280,1000")
    options.binary_location = CHROMIUM
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = selenium.Chrome(options=options, service=selenium.ChromeService(DRIVER))
    yield driver
    driver.quit()


@pytest.fixture(scope="module")
def page(explored_run: Path, served: Callable[..., Any]) -> Any:
    return served(explored_run)


@pytest.fixture
def browser(page: Any, driver: Any) -> Browser:
    """With the page open at its wall, and an empty tray."""
    for name in page.session.bench().shelf.tray():
        page.session.bench().shelf.drop(name)
    driver.get("about:blank")
    driver.get_log("browser")  # of the test before
    driver.get(page.address)
    browser = Browser(driver)
    browser.wait(lambda: len(browser.all("main .tile img")) >= 24)
    return browser


def pixels(element: Any) -> np.ndarray:
    """Of an <img> that holds its own data."""
    import base64

    return np.asarray(Image.open(io.BytesIO(base64.b64decode(element.get_attribute("src").split(",")[1]))))


def test_the_wall_shows_seeds_and_the_tray_goes_along(
    browser: Browser, page: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    generator = load_generator(page.run)
    shown = [pixels(image) for image in browser.all("main .tile img")]
    expected = generator.sample(range(24))[..., 0]
    assert np.abs(np.stack(shown).astype(int) - expected).max() <= 1
    browser.click("main section > p button", "More")
    browser.wait(lambda: len(browser.all("main .tile img")) == 48)
    Select(browser.one("main select")).select_by_visible_text("dark")
    browser.wait(lambda: all(", dark" in text for text in browser.texts("main .tile a")))
    for place in (1, 4):
        browser.driver.execute_script("arguments[0].click()", browser.all("main .tile button")[place])
        browser.wait(lambda place=place: browser.all("main .tile button[aria-pressed=true]"))
    browser.wait(lambda: "Tray: 2" in browser.text("#tray summary"))
    browser.driver.refresh()
    browser.wait(lambda: "Tray: 2" in browser.text("#tray summary"))
    Select(browser.one("main select")).select_by_visible_text("dark")
    browser.wait(lambda: len(browser.all("main .tile button[aria-pressed=true]")) == 2)
    shift = "arguments[0].dispatchEvent(new MouseEvent('click', {shiftKey: true, bubbles: true}))"
    browser.driver.execute_script(shift, browser.all("main .tile button")[0])
    browser.wait(lambda: browser.one("[aria-label=Comparison] img"))
    assert len(page.session.bench().shelf.tray()) == 2
    browser.click("#tray summary")
    link = browser.one("#tray a[download]").get_attribute("href")
    fetched = browser.driver.execute_async_script(
        "const done = arguments[1]; fetch(arguments[0]).then((r) => r.arrayBuffer())"
        ".then((b) => done(Array.from(new Uint8Array(b))))",
        link,
    )
    archive = zipfile.ZipFile(io.BytesIO(bytes(fetched)))
    archive.extractall(tmp_path / "tray")
    line = browser.one("#tray code").text.split()
    assert line[:4] == ["stylegan-ada", "generate", "images", str(page.run)]
    where = {"latents.npz": str(tmp_path / "tray" / "latents.npz"), "images": str(tmp_path / "again")}
    main([*line[1:3], line[3], line[4], where[line[5]], line[6], where[line[7]]])
    capsys.readouterr()
    files = sorted(path.relative_to(tmp_path / "again") for path in (tmp_path / "again").rglob("*.*"))
    assert {"dark/latent000000.png", "dark/latent000001.png", "manifest.csv", "grid.png"} == set(map(str, files))
    for file in files:
        assert (tmp_path / "again" / file).read_bytes() == (tmp_path / "tray" / file).read_bytes()
    in_tray = [pixels(image) for image in browser.all("#tray .tile img")]
    assert [np.asarray(Image.open(tmp_path / "again" / "dark" / f"latent00000{i}.png")).tolist() for i in (0, 1)] == [
        image.tolist() for image in in_tray
    ]
    assert browser.problems() == []


def test_one_image_is_moved_varied_mixed_and_compared(browser: Browser, page: Any) -> None:
    for place in (0, 1):
        browser.driver.execute_script("arguments[0].click()", browser.all("main .tile button")[place])
    browser.wait(lambda: "Tray: 2" in browser.text("#tray summary"))
    browser.click("main .tile a")
    browser.one(".pair .picture img")
    assert "w, the same for all layers" in browser.text(".pair details summary")
    before = browser.source(".pair .picture img")
    for direction in (1, 0):  # a principal one and one between classes
        slider = browser.all(f".sliders:nth-of-type({direction + 1}) input, .sliders input")[-direction]
        browser.slide(slider, 3)
        browser.wait(lambda: browser.source(".pair .picture img") != before)
        browser.wait(lambda: "+3" in browser.text(".pair .picture figcaption"))
        browser.click(".pair button", "Back to 0")
        browser.wait(lambda: browser.source(".pair .picture img") == before)
    browser.click("button", "Make neighbours")
    browser.wait(lambda: len(browser.all("[aria-label=Neighbours] img")) == 8)
    first = browser.source("[aria-label=Neighbours] img")
    browser.click("button", "Others")
    browser.wait(lambda: browser.source("[aria-label=Neighbours] img") != first)
    browser.click("button", "Look for them")
    browser.wait(lambda: len(browser.all(".pair .trio img")) == 4)
    names = [caption.text.split(",")[0] for caption in browser.all(".pair .trio figcaption")]
    trained_on = page.session.real().images()
    assert {*names} <= {trained_on.dataset.names[index] for index in trained_on.trained_on}
    browser.click(".controls button", "middle")
    browser.wait(lambda: "layers" in browser.text("main section > .trio .tile a"))
    browser.click(".controls button", "Interpolate")
    browser.wait(lambda: len(browser.all(".strip img")) == 12)
    stage = browser.source("main section > .trio figure img")
    browser.click("main section > .trio button", "Play")
    browser.wait(lambda: browser.source("main section > .trio figure img") != stage)
    browser.click("main section > .trio button", "Pause")
    assert browser.problems() == []


def test_a_slider_is_answered_at_once(browser: Browser) -> None:
    """50 movements, from the event to the decoded picture; the bar is for a quiet machine."""
    browser.click("main .tile a")
    browser.one(".sliders input")
    script = """
    const done = arguments[0], input = [...document.querySelectorAll('.sliders input')].at(-1);
    const image = document.querySelector('.pair .picture img'), times = [];
    const once = () => new Promise((resolve) => {
      const before = performance.now(), seen = new MutationObserver(async () => {
        seen.disconnect(); await image.decode(); resolve(performance.now() - before);
      });
      seen.observe(image, {attributes: true, attributeFilter: ['src']});
      input.value = -3 + 6 * (((times.length * 7) % 50) + 0.5) / 50; input.dispatchEvent(new Event('input'));
    });
    (async () => { for (let turn = 0; turn < 51; turn++) times.push(await once()); done(times); })();
    """
    browser.driver.set_script_timeout(60)
    times = browser.driver.execute_async_script(script)[1:]  # at first the direction is found
    print(f"median of {len(times)} answers: {statistics.median(times):.1f} ms")
    assert statistics.median(times) < 300
    assert browser.problems() == []


def test_a_real_image_is_projected_through_a_reload(browser: Browser, page: Any, image_folder: Path) -> None:
    browser.driver.get(f"{page.address}#real")
    browser.one("input[type=file]").send_keys(str(next((image_folder / "dark").glob("*.png"))))
    steps = browser.one("main input[type=number]")
    steps.clear()
    steps.send_keys("60")
    browser.click("main form button", "Project")
    browser.one(".job progress")
    browser.driver.refresh()
    browser.one(".job")
    browser.wait(lambda: "covers it" in browser.text(".job") or "Not covered" in browser.text(".job"), 90)
    assert len(browser.all(".job img")) == 2
    browser.click(".job a", "Open it")
    browser.wait(lambda: "projection of" in browser.text("main h2"))
    browser.click(".pair button", "Keep in the tray")
    browser.wait(lambda: "Tray: 1" in browser.text("#tray summary"))
    (page.run / "no-image.txt").write_text("text")
    browser.driver.get(f"{page.address}#real")
    browser.one("input[type=file]").send_keys(str(page.run / "no-image.txt"))
    browser.click("main form button", "Project")
    browser.wait(lambda: "cannot be projected" in browser.text("#error"))


def test_a_set_is_made_and_another_stopped(browser: Browser, page: Any) -> None:
    browser.click("#tray summary")
    browser.click("#tray details details summary")
    images = browser.one("#tray form input[type=number]")
    images.clear()
    images.send_keys("6")
    browser.click("#tray form button", "Make a set")
    browser.wait(lambda: "6 images" in browser.text("#tray .job") and "done" in browser.text("#tray .job"))
    assert len(list((page.run / "explore" / "set-0001").rglob("*.png"))) == 6
    images.clear()
    images.send_keys("60000")
    browser.click("#tray form button", "Make a set")
    browser.click("#tray .job button", "Stop")
    browser.wait(lambda: "stopped" in browser.texts("#tray .job")[-1])
    assert not (page.run / "explore" / "set-0002").exists()
    assert browser.problems() == []


def test_the_training_is_shown_as_it_goes_on(browser: Browser, page: Any) -> None:
    browser.driver.get(f"{page.address}#training")
    browser.wait(lambda: "finished: 0.032 of 0.032" in browser.text("main"))
    assert browser.all(".chart polyline")
    slider = browser.one("input[type=range]")
    sheet = browser.one("img.sheet")
    browser.wait(lambda: sheet.get_attribute("src").endswith("samples/32") and sheet.get_property("naturalWidth"))
    browser.slide(slider, 0)
    browser.wait(lambda: sheet.get_attribute("src").endswith("samples/16") and sheet.get_property("naturalWidth"))
    assert browser.problems() == []


def test_attributes_are_chosen_one_by_one(
    driver: Any, served: Callable[..., Any], attribute_generator_file: Path
) -> None:
    page = served(attribute_generator_file)
    driver.get(page.address)
    browser = Browser(driver)
    browser.wait(lambda: len(browser.all("main .tile img")) == 24)
    kind, crack = browser.all("main form select")[0], browser.all("main form select")[1]
    Select(kind).select_by_visible_text("poly")
    number = browser.one("main form input[placeholder]")
    number.send_keys("0.3")
    browser.click("main form button", "Show")
    browser.wait(lambda: all("type=poly,degree=0.3" in text for text in browser.texts("main .tile a")))
    Select(crack).select_by_visible_text("yes")
    browser.wait(lambda: all("crack=yes" in text for text in browser.texts("main .tile a")))
    driver.get(f"{page.address}#training")
    browser.wait(lambda: "no run beside it" in browser.text("main"))
    assert browser.problems() == []


def test_a_server_that_is_gone_is_told(driver: Any, explored_run: Path, tmp_path: Path, served: Any) -> None:
    shutil.copytree(explored_run, tmp_path / "run")
    page = served(tmp_path / "run")
    driver.get(page.address)
    browser = Browser(driver)
    browser.wait(lambda: len(browser.all("main .tile img")) == 24)
    shutil.rmtree(tmp_path / "run")
    driver.get(f"{page.address}#training")
    browser.wait(lambda: "or it is gone" in browser.text("#error"))
    driver.execute_script("window.fetch = () => Promise.reject(new TypeError('refused'))")
    driver.execute_script("location.hash = '#wall'")
    browser.click("main section > p button", "More")
    browser.wait(lambda: "does not answer" in browser.text("#error"))


def test_two_tabs_have_one_tray(browser: Browser, page: Any) -> None:
    first = browser.driver.current_window_handle
    browser.driver.switch_to.new_window("tab")
    browser.driver.get(page.address)
    browser.wait(lambda: len(browser.all("main .tile img")) >= 24)
    browser.click("main .tile button")
    browser.wait(lambda: "Tray: 1" in browser.text("#tray summary"))
    browser.driver.close()
    browser.driver.switch_to.window(first)
    browser.driver.execute_script("window.dispatchEvent(new Event('focus'))")
    browser.wait(lambda: "Tray: 1" in browser.text("#tray summary"))
    browser.wait(lambda: len(browser.all("main .tile button[aria-pressed=true]")) == 1)
    assert browser.problems() == []


@pytest.mark.parametrize("width", [380, 1280])
def test_nothing_is_wider_than_the_screen(width: int, browser: Browser, page: Any) -> None:
    for view in ("#wall", "#real", "#training"):
        browser.driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": False},
        )
        browser.driver.get(page.address + view)
        browser.wait(lambda: browser.all("main section"))
        assert browser.driver.execute_script("return document.documentElement.scrollWidth") <= width
        unnamed = browser.driver.execute_script(
            "return [...document.querySelectorAll('main input, main select, main button')].filter("
            "(one) => !(one.labels?.length || one.textContent.trim() || one.querySelector('img[alt]')))"
            ".map((one) => one.outerHTML)"
        )
        assert unnamed == []
    browser.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
