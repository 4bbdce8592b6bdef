"""Studies: tables in, one validated record out; and the registry of published data sets."""

from hepaflux.study.figure_table import read_figures as read_figures
from hepaflux.study.figures import Figure as Figure
from hepaflux.study.figures import Figures as Figures
from hepaflux.study.flat import ReadOptions as ReadOptions
from hepaflux.study.quantities import QUANTITIES as QUANTITIES
from hepaflux.study.quantities import Quantity as Quantity
from hepaflux.study.read import read_study as read_study
from hepaflux.study.registry import Dataset as Dataset
from hepaflux.study.registry import DatasetError as DatasetError
from hepaflux.study.registry import get_dataset as get_dataset
from hepaflux.study.registry import list_datasets as list_datasets
from hepaflux.study.study import Dose as Dose
from hepaflux.study.study import Samples as Samples
from hepaflux.study.study import Study as Study
from hepaflux.study.study import StudyError as StudyError
from hepaflux.study.study import Subject as Subject
from hepaflux.study.write import write_study as write_study
