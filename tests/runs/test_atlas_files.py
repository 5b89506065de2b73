"""Files of the atlas: whole, resumed, and refused if they hold something else."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from zpfit.analysis.atlas.charge_sets import SPECIES, multisets
from zpfit.analysis.atlas.enumeration import Slab, enumerate_sets
from zpfit.analysis.atlas.signatures import HiggsPolicy, signatures
from zpfit.errors import MissingFile, UnreadableFile, WrongSuffix
from zpfit.inference.progress import SILENT
from zpfit.runs import atlas_file
from zpfit.runs.atlas_file import read_atlas, write_atlas, write_signatures


@pytest.mark.parametrize("neutrinos", [True, False])
def test_a_file_holds_the_list(tmp_path: Path, *, neutrinos: bool) -> None:
    path = tmp_path / "atlas.nc"
    write_atlas(path, 3, SILENT, neutrinos=neutrinos)
    stored, direct = read_atlas(path), enumerate_sets(3, neutrinos=neutrinos)
    assert (stored.qmax, stored.neutrinos) == (3, neutrinos)
    np.testing.assert_array_equal(stored.members, direct.members)
    assert [entry.name for entry in tmp_path.iterdir()] == ["atlas.nc"]


def test_other_programs_read_the_charges(tmp_path: Path) -> None:
    path = tmp_path / "atlas.nc"
    write_atlas(path, 2, SILENT)
    with xr.open_dataset(path, engine="h5netcdf") as data:
        assert data.attrs["qmax"] == 2
        assert "arXiv:1812.04602" in data.attrs["references"]
        Q, L = (data["charges"].values[data[name].values] for name in ("Q", "L"))
    assert len(Q) == 358
    assert not (3 * Q.sum(axis=1) + L.sum(axis=1)).any()  # two SU(2) currents


def test_an_interrupted_enumeration_continues(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, whole, computed = tmp_path / "atlas.nc", atlas_file.slab, []

    def interrupted(qmax: int, total: int, *, neutrinos: bool) -> Slab:
        if total == 2 and len(computed) == 2:
            raise KeyboardInterrupt
        computed.append(total)
        return whole(qmax, total, neutrinos=neutrinos)

    monkeypatch.setattr(atlas_file, "slab", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_atlas(path, 3, SILENT)
    assert not path.exists()
    [folder] = tmp_path.iterdir()
    (folder / "01.npz").write_bytes(b"damaged")
    computed.append(-1)
    write_atlas(path, 3, SILENT)
    assert computed == [0, 1, -1, 1, 2, 3]
    np.testing.assert_array_equal(read_atlas(path).members, enumerate_sets(3).members)
    assert [entry.name for entry in tmp_path.iterdir()] == ["atlas.nc"]


def test_slabs_of_another_list_are_not_used(tmp_path: Path) -> None:
    path = tmp_path / "atlas.nc"
    for qmax, neutrinos in ((2, True), (2, False), (1, True)):
        write_atlas(path, qmax, SILENT, neutrinos=neutrinos)
        assert len(read_atlas(path)) == len(enumerate_sets(qmax, neutrinos=neutrinos))


def test_signatures_are_columns(tmp_path: Path) -> None:
    table = signatures(enumerate_sets(2), HiggsPolicy.RENORMALISABLE, quarks=True)
    path = tmp_path / "signatures.nc"
    write_signatures(table, path, "mine")
    with xr.open_dataset(path, engine="h5netcdf") as data:
        assert (data.attrs["higgs"], data.attrs["title"]) == ("renormalisable", "mine")
        stored = np.stack([data[name].values for name in table.columns], axis=1)
        np.testing.assert_array_equal(stored, table.vectors)
        np.testing.assert_array_equal(data["sets"].values, table.sets)
        np.testing.assert_array_equal(data["first"].values, table.first)


def test_other_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(MissingFile):
        read_atlas(tmp_path / "none.nc")
    text, table = tmp_path / "text.nc", tmp_path / "table.nc"
    text.write_text("no NetCDF")
    write_signatures(signatures(enumerate_sets(1), HiggsPolicy.ZERO), table, "mine")
    for path in (text, table):
        with pytest.raises(UnreadableFile, match="no list of charge sets"):
            read_atlas(path)
    with pytest.raises(WrongSuffix):
        write_atlas(tmp_path / "atlas.csv", 2, SILENT)


def test_a_file_of_another_layout_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "atlas.nc"
    monkeypatch.setattr(atlas_file, "_LAYOUT", 0)
    write_atlas(path, 1, SILENT)
    monkeypatch.undo()
    with pytest.raises(UnreadableFile, match="enumerate the sets again"):
        read_atlas(path)


MEASURED = """
import resource, time
from pathlib import Path
from zpfit.inference.progress import SILENT
from zpfit.runs.atlas_file import write_atlas
write_atlas(Path("atlas.nc"), 10, SILENT)
used = resource.getrusage(resource.RUSAGE_SELF)
print("seconds", used.ru_utime + used.ru_stime, "megabytes", used.ru_maxrss / 1024)
"""


@pytest.mark.slow
def test_ten_takes_a_minute_and_little_memory(workspace: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", MEASURED], capture_output=True, text=True, check=True
    )
    seconds, megabytes = map(float, re.findall(r"[\d.]+", done.stdout))
    assert seconds < 60
    assert megabytes < 700
    stored = read_atlas(workspace / "atlas.nc")
    assert len(stored) == 21_546_920  # arXiv:1812.04602
    sums = [multisets(10).values.sum(axis=1)[row] for row in stored.members]
    Q, L = sums[SPECIES.index("Q")], sums[SPECIES.index("L")]
    assert not (3 * Q + L).any()
