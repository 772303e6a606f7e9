/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Windows along an axis, of unfold and fold: places in attr.i. */
#ifndef DYN__WINDOWS_H
#define DYN__WINDOWS_H

enum dyn__windows { DYN__WINDOW_AXIS, DYN__WINDOW_START, DYN__WINDOW_STRIDE, DYN__WINDOW_DILATION, DYN__WINDOWS,
                    DYN__WINDOW_SIZE, DYN__WINDOW_ATTRS };

#endif
