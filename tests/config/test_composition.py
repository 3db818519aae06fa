"""Composing: what may be overridden, and what is said where something may not."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from sweepmark.config import Composer, Folders, Tree, lookup
from sweepmark.config.reading import read_document
from sweepmark.config.tree import leaves, resolve
from sweepmark.errors import ConfigurationError
from tiny import tree, write_sweep

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SPACE = "sweep:\n  space:\n    classifier: {C: [1, 2]}\n"


@pytest.fixture
def composer() -> Iterator[Composer]:
    with Composer(Folders()) as composer:
        yield composer


@pytest.mark.parametrize(
    ("override", "parts"),
    [
        ("classifier=svn", ["unknown classifier 'svn'", "'svc'", "dummy, hist_gradient"]),
        ("clasifier=svc", ["unknown key 'clasifier'", "Did you mean 'classifier'?", "dataset"]),
        ("classifier.gama=1", ["'classifier.gama'", "Did you mean 'classifier.gamma'?"]),
        ("classifier.break_ties=true", ["unknown key", "is added: +classifier.break_ties=true"]),
        ("split.size.x=1", ["split.size has no keys below it", "'split.size.x=1'", "split.size=…"]),
        ("classifier=[svc,knn]", ["unknown classifier", "knn", "Options:"]),
        ("classifier=null", ["unknown classifier 'None'", "Options:"]),
        ("classifier=../svc", ["unknown classifier '../svc'", "Options:"]),
        ("~classifier", ["group classifier must have an option", "'~classifier'", "knn"]),
        ("~classifier.nonsense", ["unknown key 'classifier.nonsense'", "classifier.C"]),
        ("+classifier=knn", ["has an option already", "Set classifier=knn."]),
        (
            "classifier.C=1,2",
            ["must give one value", "'classifier.C=1,2'", "`sweepmark sweep classifier.C=1,2`"],
        ),
        ("classifier.C=range(1,3)", ["must give one value", "sweepmark sweep"]),
        ("hydra.run.dir=/tmp", ["Hydra itself is not configured", "--config-dir"]),
        ("+hydra.verbose=true", ["Hydra itself is not configured"]),
        ("hydra/launcher=basic", ["unknown key 'hydra/launcher'"]),
        ("a b", ["must read key=value", "'a b'"]),
        ("classifier.C", ["must read key=value", "'classifier.C'"]),
        ("classifier.C=[1", ["must read key=value", "'classifier.C=[1'"]),
        ("", ["must read key=value", "''"]),
        ("~classifier={C:1}", ["group classifier must have an option"]),
        ("+classifier={C:1}", ["unknown classifier"]),
        ("experiment={name:x}", ["unknown experiment"]),
        ("sweep=nonsense", ["unknown sweep 'nonsense'", "growing_subsets"]),
        ("experiment=nonsense", ["unknown experiment 'nonsense'"]),
    ],
)
def test_wrong_override_is_refused_with_rule_value_and_options(
    composer: Composer, override: str, parts: list[str]
) -> None:
    with pytest.raises(ConfigurationError) as error:
        composer.compose([override])
    for part in parts:
        assert part in str(error.value)


def test_a_group_can_be_written_out_and_changed_like_an_option(composer: Composer) -> None:
    word = "classifier={_target_:sklearn.svm.SVC,C:2,class_weight:{1:2},kernel:'a b'}"
    found = composer.compose([word, "classifier.C=3", "++classifier.class_weight={2:5}"])
    assert found["classifier"] == {
        "_target_": "sklearn.svm.SVC",
        "C": 3,
        "class_weight": {"1": 2, "2": 5},
        "kernel": "a b",
    }
    with pytest.raises(ConfigurationError, match=r"unknown key 'classifier\.gamma'"):
        composer.compose([word, "classifier.gamma=1"])
    steps = composer.compose(["preprocess={a:{_target_:x.Y},b:{_target_:x.Z}}"])["preprocess"]
    assert list(steps) == ["a", "b"]


def test_key_can_be_added_where_the_override_says_so(composer: Composer) -> None:
    composed = composer.compose(["classifier=knn", "+classifier.leaf_size=10"])
    assert composed["classifier"]["leaf_size"] == 10


def test_key_can_be_left_out(composer: Composer) -> None:
    assert "C" not in composer.compose(["~classifier.C"])["classifier"]


def test_last_of_several_overrides_of_one_key_counts(composer: Composer) -> None:
    assert composer.compose(["seed=1", "seed=2"])["seed"] == 2


@pytest.mark.parametrize("override", ["experiment=null", "sweep=null"])
def test_saying_that_there_is_no_preset_changes_nothing(composer: Composer, override: str) -> None:
    assert composer.compose([override]) == composer.compose([])


def test_integer_becomes_a_float_where_our_default_is_one(composer: Composer) -> None:
    composed = composer.compose(["split.train_ratio=1", "split.seed=1", "classifier.C=1"])
    values = (composed["split"]["train_ratio"], composed["split"]["seed"])
    assert repr((*values, composed["classifier"]["C"])) == "(1.0, 1, 1)"


def test_integer_that_a_sweep_sets_becomes_a_float_like_one_from_the_command_line(
    tmp_path: Path,
) -> None:
    text = "split: {train_ratio: 1}\nclassifier: {C: 10}\n" + SPACE
    composed = tree("sweep=mine", folder=write_sweep(tmp_path, "mine", text))
    assert repr((composed["split"]["train_ratio"], composed["classifier"]["C"])) == "(1.0, 10)"


def test_mapping_has_text_keys_as_the_journal_gives_them_back(composer: Composer) -> None:
    composed = composer.compose(["classifier.class_weight={0: 1.0, 1: 2.0}"])
    assert composed["classifier"]["class_weight"] == {"0": 1.0, "1": 2.0}


class TestSpace:
    def space(self, composer: Composer, sweep: str, *overrides: str) -> Tree:
        composed = composer.compose([f"sweep={sweep}", *overrides])
        return dict(lookup(composed, "sweep.space.classifier"))

    def test_range_can_replace_a_list_and_axes_keep_their_order(self, composer: Composer) -> None:
        override = "sweep.space.classifier.C={low: 1, high: 10}"
        space = self.space(composer, "svc_c_gamma", override)
        assert list(space) == ["C", "gamma"]
        assert space["C"] == {"low": 1, "high": 10}

    def test_list_can_replace_a_range_and_axes_keep_their_order(self, composer: Composer) -> None:
        space = self.space(composer, "svc_tpe", "sweep.space.classifier.C=[1, 2]")
        assert list(space) == ["C", "gamma"]
        assert space["C"] == [1, 2]

    def test_axis_can_be_added_and_taken_away(self, composer: Composer) -> None:
        overrides = ["~sweep.space.classifier.C", "+sweep.space.classifier.kernel=[rbf, poly]"]
        assert list(self.space(composer, "svc_c_gamma", *overrides)) == ["gamma", "kernel"]

    def test_settings_that_a_sweep_leaves_out_can_be_set(self, composer: Composer) -> None:
        composed = composer.compose(["sweep=svc_c_gamma", "sweep.n_trials=3"])
        assert composed["sweep"]["n_trials"] == 3
        assert composed["sweep"]["allow_large"] is False


def test_command_line_wins_over_the_sweep(composer: Composer) -> None:
    composed = composer.compose(["sweep=growing_subsets", "classifier=knn", "seed=3"])
    assert composed["classifier"]["_target_"].endswith("KNeighborsClassifier")
    assert composed["seed"] == 3


def test_number_in_a_sweep_reads_as_in_any_other_file(tmp_path: Path) -> None:
    text = "sweep: {space: {classifier: {C: [1e-3, 1e2]}}}"
    composed = tree("sweep=mine", folder=write_sweep(tmp_path, "mine", text))
    assert lookup(composed, "sweep.space.classifier.C") == [1e-3, 1e2]


def test_interpolation_in_a_sweep_stays_text_until_it_is_resolved(composer: Composer) -> None:
    assert composer.compose(["sweep=svc_tpe"])["split"]["size"] == "${dataset.sample_size}"


class TestOwnFolder:
    def add(self, folder: Path, group: str, name: str, text: str) -> None:
        (folder / group).mkdir(exist_ok=True)
        (folder / group / f"{name}.yaml").write_text(text)

    @pytest.mark.parametrize("name", ["plain", "with space", "a,b=[c]", "50%", "ünï"])
    def test_option_of_ones_own_composes_wherever_the_folder_lies(
        self, tmp_path: Path, name: str
    ) -> None:
        folder = tmp_path / name
        folder.mkdir()
        self.add(folder, "classifier", "extra", "_target_: sklearn.ensemble.ExtraTreesClassifier")
        composed = tree("classifier=extra", folder=folder)
        assert composed["classifier"] == {"_target_": "sklearn.ensemble.ExtraTreesClassifier"}

    @pytest.mark.parametrize(
        ("text", "part"),
        [
            ("a: [1", "must be YAML"),
            ("- 1", "must be a mapping, but is a list"),
            ("a: 1\na: 2", "cannot be read"),
            ("a: \xff", "must be YAML in UTF-8"),
        ],
    )
    @pytest.mark.parametrize("group", ["classifier", "sweeps"])
    def test_file_that_cannot_be_read_is_named(
        self, tmp_path: Path, group: str, text: str, part: str
    ) -> None:
        self.add(tmp_path, group, "mine", "")
        path = tmp_path / group / "mine.yaml"
        path.write_bytes(text.encode("latin-1"))
        with pytest.raises(ConfigurationError, match=part) as error:
            tree(folder=tmp_path)
        assert str(path) in str(error.value)

    @pytest.mark.parametrize(
        "text",
        [
            "a0: &a0 [1, 1]\n"
            + "".join(f"a{n}: &a{n} {[f'*a{n - 1}'] * 9}\n" for n in range(1, 12)),
            "a0: &a0 {x: 1, y: 2}\n"
            + "".join(f"a{n}: &a{n} {{<<: {[f'*a{n - 1}'] * 9}}}\n" for n in range(1, 12)),
            "a: &a {b: *a}",
        ],
    )
    def test_alias_bomb_is_refused_unexploded(self, tmp_path: Path, text: str) -> None:
        self.add(tmp_path, "classifier", "mine", text.replace("'", ""))
        with pytest.raises(ConfigurationError, match="aliases multiply"):
            tree(folder=tmp_path)

    @pytest.mark.parametrize(
        ("text", "part"),
        [
            ("a: " + "[" * 100_000 + "]" * 100_000, "nested at most 50 deep"),
            ("a: " + "{a: " * 3000 + "1" + "}" * 3000, "nested at most 50 deep"),
            ("a: '" + "x" * 600_000 + "'", "at most 500,000 characters"),
            ("a: 1" + "0" * 20_000, "no number or bare word of more than 1,000"),
            ("a: 1" + ":59" * 20_000, "no number or bare word of more than 1,000"),
            ("defaults: [{/elsewhere: bomb}]", "unknown group 'elsewhere'"),
            ("defaults: [elsewhere/bomb]", "unknown group 'elsewhere'"),
        ],
        ids=["lists", "mappings", "file", "integer", "base 60", "group", "file of a group"],
    )
    def test_what_would_never_end_is_refused(self, tmp_path: Path, text: str, part: str) -> None:
        self.add(tmp_path, "classifier", "mine", text)
        self.add(tmp_path, "elsewhere", "bomb", "a: 1")
        with pytest.raises(ConfigurationError, match=part):
            tree(folder=tmp_path)

    def test_pipe_in_place_of_a_file_keeps_nobody_waiting(self, tmp_path: Path) -> None:
        (tmp_path / "classifier").mkdir()
        os.mkfifo(tmp_path / "classifier" / "pipe.yaml")
        (tmp_path / "classifier" / "endless.yaml").symlink_to("/dev/zero")
        with pytest.raises(ConfigurationError, match="unknown classifier 'pipe'"):
            tree("classifier=pipe", folder=tmp_path)

    @pytest.mark.parametrize("name", ["it's", "a b", "x'; DROP TABLE runs"])
    def test_sweep_whose_name_would_not_stay_a_name_is_refused(
        self, tmp_path: Path, name: str
    ) -> None:
        write_sweep(tmp_path, name, SPACE)
        with pytest.raises(ConfigurationError, match="must be called by letters"):
            tree(folder=tmp_path)

    def test_sweep_without_a_space_is_refused(self, tmp_path: Path) -> None:
        write_sweep(tmp_path, "mine", "seed: 1")
        with pytest.raises(ConfigurationError, match=r"mine\.yaml must say what is swept"):
            tree(folder=tmp_path)

    def test_sweep_and_experiment_that_choose_for_one_group_are_refused(
        self, tmp_path: Path
    ) -> None:
        choice = "defaults:\n  - override /classifier: {}\n"
        write_sweep(tmp_path, "mine", choice.format("svc") + SPACE)
        preset = "# @package _global_\n" + choice.format("knn")
        self.add(tmp_path, "experiment", "preset", preset)
        with pytest.raises(ConfigurationError, match="both choose classifier"):
            tree("sweep=mine", "experiment=preset", folder=tmp_path)
        composed = tree("sweep=mine", "experiment=preset", "classifier=svc", folder=tmp_path)
        assert composed["classifier"]["_target_"] == "sweepmark.svm.SVC"


class TestChain:
    @pytest.mark.parametrize("steps", [["deskew", "scale"], ["scale", "deskew"], ["hog"]])
    def test_steps_follow_one_another_in_the_order_given(
        self, composer: Composer, steps: list[str]
    ) -> None:
        composed = composer.compose([f"preprocess=[{','.join(steps)}]", "classifier=knn"])
        assert list(composed["preprocess"]) == steps

    def test_step_is_set_by_its_name(self, composer: Composer) -> None:
        composed = composer.compose(["preprocess=[deskew,scale]", "preprocess.scale.divisor=16"])
        assert repr(composed["preprocess"]["scale"]["divisor"]) == "16"

    def test_last_choice_counts(self, composer: Composer) -> None:
        composed = composer.compose(["preprocess=hog", "preprocess=[scale,deskew]"])
        assert list(composed["preprocess"]) == ["scale", "deskew"]
        composed = composer.compose(["preprocess=[scale,deskew]", "preprocess=hog"])
        assert list(composed["preprocess"]) == ["hog"]

    def test_yaml_chooses_a_chain_and_sets_its_steps(self, tmp_path: Path) -> None:
        text = "defaults:\n  - override /preprocess: [deskew, scale]\n"
        text += "preprocess: {scale: {divisor: 16}}\n" + SPACE
        composed = tree("sweep=mine", folder=write_sweep(tmp_path, "mine", text))["preprocess"]
        assert list(composed) == ["deskew", "scale"]
        assert repr(composed["scale"]["divisor"]) == "16"

    @pytest.mark.parametrize(
        ("override", "parts"),
        [
            ("preprocess=[deskew,skale]", ["unknown preprocess 'skale'", "'scale'"]),
            ("preprocess=[]", ["unknown preprocess '[]'", "none"]),
            ("preprocess=[[scale]]", ["unknown preprocess"]),
            ("preprocess=[pca,scale]", ["must stand once", "pca and scale", "step 'scale'"]),
            ("preprocess=[scale,scale]", ["must stand once", "[scale,scale]"]),
        ],
    )
    def test_chain_that_is_none_is_refused(
        self, composer: Composer, override: str, parts: list[str]
    ) -> None:
        with pytest.raises(ConfigurationError) as error:
            composer.compose([override])
        for part in parts:
            assert part in str(error.value)


@pytest.mark.parametrize(
    ("words", "rule"),
    [
        ((), "course"),
        (("grade=none",), "none"),
        (("dataset=fashion_mnist",), "none"),
        (("dataset=csv", "dataset.path=a.csv"), "none"),
        (("dataset=digits", "grade=course"), "course"),
        (("sweep=svc_c_gamma",), "course"),
        (("sweep=svc_c_gamma", "dataset=digits"), "none"),
        (("sweep=reference",), "none"),
    ],
)
def test_a_grade_is_of_its_own_data_set_unless_it_is_asked_for(
    composer: Composer, words: tuple[str, ...], rule: str
) -> None:
    assert composer.compose(words)["grade"]["name"] == rule


@pytest.mark.parametrize(
    ("override", "path", "value"),
    [
        ("split.size=None", "split.size", None),
        ("classifier.gamma= None ", "classifier.gamma", None),
        ("classifier.gamma='None'", "classifier.gamma", "None"),
        ('classifier.gamma="it is None"', "classifier.gamma", "it is None"),
        ("classifier.gamma=Nonesuch", "classifier.gamma", "Nonesuch"),
        ("classifier.gamma=a None b", "classifier.gamma", "a None b"),
        (
            "+classifier.class_weight={None:1,b:None}",
            "classifier.class_weight",
            {"None": 1, "b": None},
        ),
        (
            "++sweep.space.classifier.gamma=[None,'None',1]",
            "sweep.space.classifier.gamma",
            [None, "None", 1],
        ),
    ],
)
def test_none_is_null_unless_it_is_in_quotes(
    composer: Composer, override: str, path: str, value: object
) -> None:
    assert lookup(composer.compose(["classifier=svc", override]), path) == value


def test_none_in_a_file_is_refused(tmp_path: Path) -> None:
    """YAML has it for a text, which is what nobody means."""
    file = tmp_path / "classifier" / "mine.yaml"
    file.parent.mkdir()
    file.write_text("# Mine\n_target_: sklearn.svm.SVC\nclass_weight: None\n")
    with pytest.raises(ConfigurationError, match=r"line 3: None is a text in YAML\. Write null"):
        Composer(Folders.of([tmp_path])).__enter__()
    file.write_text("# Mine: None\n_target_: sklearn.svm.SVC\nclass_weight: 'None'\n")
    with Composer(Folders.of([tmp_path])) as composer:
        assert composer.compose(["classifier=mine"])["classifier"]["class_weight"] == "None"


FILES = [
    *(("experiment", name) for name in sorted(Folders().groups()["experiment"])),
    *(("sweep", name) for name in Folders().sweeps()),
]


@pytest.mark.parametrize(("group", "name"), FILES)
def test_what_an_experiment_or_a_sweep_says_is_what_holds(
    composer: Composer, group: str, name: str
) -> None:
    folders = composer.folders
    path = folders.sweeps()[name].path if group == "sweep" else folders.option_path(group, name)
    written = {key: node for key, node in read_document(path).items() if key != "defaults"}
    composed = composer.compose([f"{group}={name}"])
    for place, value in leaves(written):
        found = lookup(composed, place)
        assert found == (value if not isinstance(value, float) else pytest.approx(value)), place


@pytest.mark.parametrize("preprocess", ["scale", "pca"])
def test_pixels_are_divided_by_what_their_data_set_says(
    composer: Composer, preprocess: str
) -> None:
    for name, divisor in (("mnist", 256.0), ("fashion_mnist", 256.0), ("digits", 16.0)):
        composed = resolve(composer.compose([f"dataset={name}", f"preprocess={preprocess}"]))
        assert composed["preprocess"]["scale"]["divisor"] == divisor
    own = ["dataset={name:mine,format:cache}", f"preprocess={preprocess}"]
    assert resolve(composer.compose(own))["preprocess"]["scale"]["divisor"] == 256.0
